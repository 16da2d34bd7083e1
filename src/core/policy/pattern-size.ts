/**
 * The most instructions one MATCHES pattern may compile to. The text's length says little: `(a?){900}` has 900
 * copies.
 */
export const patternSizeMax = 1_000;

/** The limit for all patterns of one list of conditions together. */
export const patternSizesMax = 10_000;

/**
 * Estimates how many instructions RE2 makes of the pattern, from its text alone: the cost must be known before it is
 * paid. Invalid patterns have a size too; compiling refuses them.
 */
export function patternSizeOf(pattern: string): number {
  return sizeOfAlternatives({ pattern, at: 0 }) + frameSize + classesSize(pattern);
}

/**
 * The cost of compiling character classes, in instructions. Each class becomes one instruction, but a Unicode class
 * holds thousands of ranges, and `(?i)` checks every character of a range. Repeating a class costs this only once.
 */
function classesSize(pattern: string): number {
  const ignoresCase = /\(\?[a-zA-Z-]*i/.test(pattern);
  const unicode = pattern.match(/\\[pP]/g)?.length ?? 0;
  if (!ignoresCase) return unicode * unicodeClassSize;
  return Math.min(sizeMax, unicode * foldedUnicodeClassSize + foldedRangesSize(pattern));
}

/** Estimates ranges by their ends alone: finding a start would require parsing its class. */
function foldedRangesSize(pattern: string): number {
  const ends = pattern.matchAll(/-(?=\\x\{([0-9a-f]+)\}|\\x([0-9a-f]{2})|\\([0-7]{1,3})|([^\\]))/giu);
  let size = 0;
  for (const [, long, short, octal, character] of ends) {
    const hex = long ?? short;
    const digits = hex ?? octal;
    const end = digits === undefined ? character?.codePointAt(0) : Number.parseInt(digits, hex ? 16 : 8);
    size += Math.floor(Math.min(end ?? 0, codePointMax) / foldedPerStep);
  }
  return size;
}

const unicodeClassSize = 20;
const foldedUnicodeClassSize = 40;
/** Characters of a range that take as long as one instruction. */
const foldedPerStep = 250;
const codePointMax = 0x10_ff_ff;

/** Instructions that every program has: fail, match, and the first capture. */
const frameSize = 3;
const groupSize = 2;
/** A branch, and the instruction of an empty alternative. */
const alternativeSize = 2;
/** Repeating an empty expression takes two. */
const loopSize = 2;
/** RE2 refuses larger repetitions, and anything above is too large anyway. */
const sizeMax = 1_000_000;

/** The position of the parser. */
interface Reader {
  readonly pattern: string;
  at: number;
}

/**
 * Sums groups and alternatives up to the end. It uses a list instead of recursion, so that a thousand `(` cannot
 * overflow the stack.
 */
function sizeOfAlternatives(reader: Reader): number {
  const outerSizes: number[] = [];
  let size = 0;
  while (reader.at < reader.pattern.length) {
    const start = reader.pattern.charAt(reader.at);
    if (start === "(") {
      consume(reader, /\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*:)?)?/y);
      outerSizes.push(size);
      size = 0;
    } else if (start === ")") {
      reader.at += 1;
      size = Math.min(
        sizeMax,
        (outerSizes.pop() ?? 0) + sizeWithRepetitions(reader, Math.max(size, 1) + groupSize),
      );
    } else if (start === "|") {
      reader.at += 1;
      size += alternativeSize;
    } else {
      size = Math.min(sizeMax, size + sizeWithRepetitions(reader, sizeOfAtom(reader)));
    }
  }
  // An unclosed group is not a valid pattern, but its content is counted.
  return outerSizes.reduce((sum, outerSize) => sum + outerSize, size);
}

/** The size of a character, a class, an escape, or a quoted text. */
function sizeOfAtom(reader: Reader): number {
  const quoted = consume(reader, /\\Q[\s\S]*?(?:\\E|$)/y);
  if (quoted !== undefined) return quoted.length;
  if (consume(reader, /\[\^?\]?(?:\[:[^\]]*:\]|\\[\s\S]|[^\]\\])*\]?/y) !== undefined) return 1;
  if (consume(reader, /\\(?:[pP]\{[^}]*\}|[pP][\s\S]|x\{[^}]*\}|[\s\S])?/y) !== undefined) return 1;
  reader.at += 1;
  return 1;
}

/** Multiplies a size by the repetitions that follow. */
function sizeWithRepetitions(reader: Reader, once: number): number {
  let size = once;
  for (;;) {
    // Flags in between are skipped: RE2 repeats what is before them.
    const found = consume(reader, /(?:\(\?[a-zA-Z-]+\))*(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (found === undefined) return Math.min(sizeMax, size);
    const counts = /\{(\d+)(,?)(\d*)\}/.exec(found);
    size = counts === null ? size + loopSize : sizeOfCounted(size, counts);
  }
}

function sizeOfCounted(
  once: number,
  [, lowText = "0", comma = "", highText = ""]: readonly string[],
): number {
  // At least 1, also for {0}: of a quoted text it removes only the last character.
  const min = Math.max(Number(lowText), 1);
  if (comma === "") return once * min;
  if (highText === "") return once * min + loopSize;
  return once * min + (once + 1) * Math.max(0, Number(highText) - min);
}

/** Matches at the current position and moves past it; undefined, without moving, when nothing matches. */
function consume(reader: Reader, sticky: RegExp): string | undefined {
  sticky.lastIndex = reader.at;
  const found = sticky.exec(reader.pattern)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}
