/**
 * Makes user text safe to show: invisible characters, changes of direction and piled-up marks become visible numbers
 * such as `⟨U+202E⟩`, so that no text can imitate ours. Line breaks and tabs stay.
 */
export function escapeInvisible(text: string): string {
  return text
    .replaceAll(lineBreaks, "\n")
    .replaceAll(invisible, (character) => `⟨U+${hexOf(character)}⟩`)
    .replaceAll(markPile, "$1⟨…⟩");
}

const lineBreaks = /\r\n?|[\u2028\u2029\u0085]/g;

/**
 * Characters to escape: control and format characters (bidi, zero-width, tags), fillers that look like a space,
 * private and unassigned characters, lone surrogates. The zero-width joiner stays where it joins an emoji.
 */
const invisible =
  /(?<!\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}]?\uFE0F?)\u200D|\u200D(?!\p{Extended_Pictographic})|[^\P{Cf}\u200D]|[^\P{Cc}\n\t]|[\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2800\u3164\uFFA0]|[\uFE00-\uFE0E]|[\u{E0100}-\u{E01EF}]|\p{Co}|\p{Cn}|\p{Cs}/gu;

/** More combining marks on one letter than any script needs. */
const markPile = /(\p{M}{4})\p{M}+/gu;

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/**
 * Cuts text between graphemes to a size of at most `max`, with `…` where something is missing. `sizeOf` counts a
 * piece where the platform counts escaped text; the default is UTF-16 units, as platforms count.
 */
export function cutTo(text: string, max: number, sizeOf: (piece: string) => number = lengthOf): string {
  if (text.length <= max && sizeOf(text) <= max) return text;
  const contentMax = max - sizeOf("…");
  if (contentMax < 0) return "";
  let kept = "";
  let size = 0;
  // A grapheme that starts within the limit and ends far beyond it does not fit anyway.
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment } of graphemes.segment(text.slice(0, max + graphemeLengthMax))) {
    size += sizeOf(segment);
    if (size > contentMax) break;
    kept += segment;
  }
  return `${kept}…`;
}

const graphemeLengthMax = 200;

/** Created on first use, because loading its tables takes most of the start-up time. */
let graphemes: Intl.Segmenter | undefined;

function lengthOf(text: string): number {
  return text.length;
}
