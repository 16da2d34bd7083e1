import type { UserText } from "./user-text.ts";

/** Part of a sentence: our text, a time to show in the reader's time zone (RFC 3339), or user text. */
export type TextSpan = string | { readonly time: string } | UserText;
export type Line = readonly TextSpan[];

const namesShownMax = 10;

/** The first names, and the number of the others. */
export function namesLine(names: readonly string[]): Line {
  const unique = [...new Set(names)];
  const more = unique.length - namesShownMax;
  const shown = unique
    .slice(0, namesShownMax)
    .flatMap((userText, index): Line => (index === 0 ? [{ userText }] : [", ", { userText }]));
  return more > 0 ? [...shown, ` and ${more} more`] : shown;
}
