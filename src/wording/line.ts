import type { PeopleWords } from "./user-text.ts";

/** A piece of a sentence: our words, a moment for the reader's own time zone (RFC 3339), or somebody's own words. */
export type Part = string | { readonly time: string } | PeopleWords;
export type Line = readonly Part[];

const namesShownMax = 10;

/** The first few names, and how many more there are. */
export function namesLine(names: readonly string[]): Line {
  const unique = [...new Set(names)];
  const more = unique.length - namesShownMax;
  const shown = unique
    .slice(0, namesShownMax)
    .flatMap((said, index): Line => (index === 0 ? [{ said }] : [", ", { said }]));
  return more > 0 ? [...shown, ` and ${more} more`] : shown;
}
