import type { UserText } from "./user-text.ts";

/** A piece of a sentence: our words, a moment for the reader's own time zone (RFC 3339), or somebody's own words. */
export type TextSpan = string | { readonly time: string } | UserText;
export type Line = readonly TextSpan[];

const namesShownMax = 10;

/** The first few names, and how many more there are. */
export function namesLine(names: readonly string[]): Line {
  const unique = [...new Set(names)];
  const more = unique.length - namesShownMax;
  const shown = unique
    .slice(0, namesShownMax)
    .flatMap((userText, index): Line => (index === 0 ? [{ userText }] : [", ", { userText }]));
  return more > 0 ? [...shown, ` and ${more} more`] : shown;
}
