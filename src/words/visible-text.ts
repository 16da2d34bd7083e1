/**
 * People's own words made safe to show: what cannot be seen or turns writing around is shown as `⟨U+202E⟩`, so that no
 * text can imitate ours. Line breaks and tabs stay.
 */
export function visibleText(text: string): string {
  return text
    .replace(/\r\n?|[\u2028\u2029\u0085]/g, "\n")
    .replace(unseen, (character) => `⟨U+${hexOf(character)}⟩`);
}

/** Controls, format characters (bidi, zero-width, tags), fillers, unassigned separators; not the joiner inside an emoji. */
const unseen =
  /(?<!\p{Extended_Pictographic}\uFE0F?[\u{1F3FB}-\u{1F3FF}]?)\u200D|\u200D(?!\p{Extended_Pictographic})|[^\P{Cc}\n\t]|[^\P{Cf}\u200D]|[\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u2800\u3164\uFFA0]|[\uFE00-\uFE0E]|\p{Co}|\p{Cn}|\p{Cs}/gu;

function hexOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** At most `max` UTF-16 units (what platforms count), cut between graphemes and ended with `…` where something is missing. */
export function cutTo(text: string, max: number): string {
  if (text.length <= max) return text;
  let kept = "";
  for (const { segment } of graphemes.segment(text.slice(0, max + 200))) {
    if (kept.length + segment.length > max - 1) break;
    kept += segment;
  }
  return max < 1 ? "" : `${kept}…`;
}
