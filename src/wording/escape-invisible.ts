/**
 * People's own words made safe to show: what cannot be seen, turns writing around or piles up over other lines is shown
 * by its number, `⟨U+202E⟩`, so that no text can imitate ours. Line breaks and tabs stay.
 */
export function escapeInvisible(text: string): string {
  return text
    .replaceAll(lineBreaks, "\n")
    .replaceAll(unseen, (character) => `⟨U+${hexOf(character)}⟩`)
    .replaceAll(pile, "$1⟨…⟩");
}

const lineBreaks = /\r\n?|[\u2028\u2029\u0085]/g;

/**
 * Controls, format characters (bidi, zero-width, tags), fillers that look like a space, private and unassigned ones,
 * halves of pairs. The joiner stays where it holds an emoji together.
 */
const unseen =
  /(?<!\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}]?\uFE0F?)\u200D|\u200D(?!\p{Extended_Pictographic})|[^\P{Cf}\u200D]|[^\P{Cc}\n\t]|[\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2800\u3164\uFFA0]|[\uFE00-\uFE0E]|[\u{E0100}-\u{E01EF}]|\p{Co}|\p{Cn}|\p{Cs}/gu;

/** More marks over one letter than any script needs. */
const pile = /(\p{M}{4})\p{M}+/gu;

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

/**
 * Cut between graphemes so that it measures at most `max`, with `…` where something is missing. `sizeOf` says what a
 * piece counts when the platform counts escaped text; by default UTF-16 units, which platforms count.
 */
export function cutTo(text: string, max: number, sizeOf: (piece: string) => number = lengthOf): string {
  if (text.length <= max && sizeOf(text) <= max) return text;
  const room = max - sizeOf("…");
  if (room < 0) return "";
  let kept = "";
  let size = 0;
  // A grapheme that begins within the room and ends far behind it does not fit anyway.
  graphemes ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  for (const { segment } of graphemes.segment(text.slice(0, max + graphemeLengthMax))) {
    size += sizeOf(segment);
    if (size > room) break;
    kept += segment;
  }
  return `${kept}…`;
}

const graphemeLengthMax = 200;

/** Made when something is cut for the first time: the tables it loads take longer than most of a start. */
let graphemes: Intl.Segmenter | undefined;

function lengthOf(text: string): number {
  return text.length;
}
