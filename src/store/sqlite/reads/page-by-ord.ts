import type { Page } from "../../../service/ports/store.ts";

/** Above every `ord`: where a list of the newest begins. */
export const newest = Number.MAX_SAFE_INTEGER;

/** A page from one row more than its limit: that row shows whether there is a next page. */
export function pageByOrd<T>(
  rows: readonly { readonly ord: number; readonly value: T }[],
  limit: number,
): Page<T> {
  const shown = rows.slice(0, limit);
  return {
    rows: shown.map((row) => row.value),
    next: rows.length > limit ? (shown.at(-1)?.ord ?? null) : null,
  };
}
