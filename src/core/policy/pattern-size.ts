/** What one MATCHES pattern may compile to, in instructions: its text alone says little, as `(a?){900}` has 900 copies. */
export const patternSizeMax = 1_000;

/** The same for all patterns of one list of conditions. */
export const patternSizesMax = 10_000;

/**
 * At least about as many instructions as RE2 makes of the pattern, counted from its text without compiling it, so that
 * the cost is known before it is paid. Texts that are no patterns have a size too; compiling refuses those.
 */
export function patternSizeOf(pattern: string): number {
  return sizeOfAlternatives({ pattern, at: 0 }) + frameSize + classesSize(pattern);
}

/**
 * What compiling the classes costs, in as many instructions: they become one each, but Unicode classes hold thousands of
 * ranges, and `(?i)` looks at every single character of a range. Repeating them costs this only once.
 */
function classesSize(pattern: string): number {
  const ignoresCase = /\(\?[a-zA-Z-]*i/.test(pattern);
  const unicode = pattern.match(/\\[pP]/g)?.length ?? 0;
  if (!ignoresCase) return unicode * unicodeClassSize;
  return Math.min(sizeMax, unicode * foldedUnicodeClassSize + foldedRangesSize(pattern));
}

/** By the end of each range alone: where it begins cannot be told without knowing where its class does. */
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
/** Characters of a range that are looked at in the time of one instruction. */
const foldedPerStep = 250;
const codePointMax = 0x10_ff_ff;

/** The instructions around every program: failing, matching, and the first capture. */
const frameSize = 3;
const groupSize = 2;
/** A branch, and what an empty alternative takes. */
const alternativeSize = 2;
/** `*` of something empty takes two. */
const loopSize = 2;
/** RE2 refuses larger repetitions. Anything above is too large anyway. */
const sizeMax = 1_000_000;

/** Where reading has come to. */
interface Reader {
  readonly pattern: string;
  at: number;
}

/** Up to the parenthesis that closes the group, or to the end. Without recursion a thousand `(` cannot exhaust a stack. */
function sizeOfAlternatives(reader: Reader): number {
  const outer: number[] = [];
  let size = 0;
  while (reader.at < reader.pattern.length) {
    const start = reader.pattern.charAt(reader.at);
    if (start === "(") {
      skip(reader, /\((?:\?(?:P?<[^>]*>|[a-zA-Z-]*:)?)?/y);
      outer.push(size);
      size = 0;
    } else if (start === ")") {
      reader.at += 1;
      size = Math.min(sizeMax, (outer.pop() ?? 0) + repeated(reader, Math.max(size, 1) + groupSize));
    } else if (start === "|") {
      reader.at += 1;
      size += alternativeSize;
    } else {
      size = Math.min(sizeMax, size + repeated(reader, sizeOfAtom(reader)));
    }
  }
  // A group that is never closed is no pattern; what it holds is counted all the same.
  return outer.reduce((sum, one) => sum + one, size);
}

/** A character, a class, an escape, or a quoted text. */
function sizeOfAtom(reader: Reader): number {
  const quoted = skip(reader, /\\Q[\s\S]*?(?:\\E|$)/y);
  if (quoted !== undefined) return quoted.length;
  if (skip(reader, /\[\^?\]?(?:\[:[^\]]*:\]|\\[\s\S]|[^\]\\])*\]?/y) !== undefined) return 1;
  if (skip(reader, /\\(?:[pP]\{[^}]*\}|[pP][\s\S]|x\{[^}]*\}|[\s\S])?/y) !== undefined) return 1;
  reader.at += 1;
  return 1;
}

/** The size with every repetition that follows. */
function repeated(reader: Reader, once: number): number {
  let size = once;
  for (;;) {
    // Flags in between are passed over: RE2 repeats what stands before them.
    const found = skip(reader, /(?:\(\?[a-zA-Z-]+\))*(?:[*+?]|\{\d+(?:,\d*)?\})\??/y);
    if (found === undefined) return Math.min(sizeMax, size);
    const counts = /\{(\d+)(,?)(\d*)\}/.exec(found);
    size = counts === null ? size + loopSize : sizeOfCounted(size, counts);
  }
}

function sizeOfCounted(once: number, [, least = "0", comma = "", most = ""]: readonly string[]): number {
  // Also of {0}: of a quoted text only the last character is left out.
  const min = Math.max(Number(least), 1);
  if (comma === "") return once * min;
  if (most === "") return once * min + loopSize;
  return once * min + (once + 1) * Math.max(0, Number(most) - min);
}

/** What the pattern has here, passed over; undefined, and nothing is passed over, when it is something else. */
function skip(reader: Reader, sticky: RegExp): string | undefined {
  sticky.lastIndex = reader.at;
  const found = sticky.exec(reader.pattern)?.[0];
  if (found !== undefined) reader.at += found.length;
  return found;
}
