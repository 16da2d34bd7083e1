import type { Instant } from "../../core/values/ids.ts";
import { dayMs, durationMaxMs, plus } from "../../core/values/time.ts";
import type { SerialRange } from "./krl.ts";

/** A revocation in the list without an entry in the ledger, because the ledger was lost or is an older copy. */
export interface CarriedRange {
  readonly range: SerialRange;
  /** No certificate with these serials is valid after this. */
  readonly until: Instant;
}

/** How far the clocks of hosts may be behind. */
export const keptAfterEndMs = dayMs;

/**
 * The revocations to keep although no ledger entry explains them. Losing the ledger must not undo a revocation, so each
 * is kept until the longest possible certificate has expired.
 *
 * @param found The ranges in the revocation list.
 * @param explained The ranges of the ledger entries, including those that are about to be dropped.
 */
export function carriedOver(
  found: readonly SerialRange[],
  explained: readonly SerialRange[],
  before: readonly CarriedRange[],
  now: Instant,
): readonly CarriedRange[] {
  const isExplained = coveredBy([...explained, ...before.map(({ range }) => range)]);
  const until = plus(now, durationMaxMs + keptAfterEndMs);
  const added = found.filter((range) => !isExplained(range)).map((range) => ({ range, until }));
  return [...before.filter((range) => range.until > now), ...added];
}

/** Whether one of these ranges covers a whole range. Ranges of one grant begin with the same serial. */
export function coveredBy(ranges: readonly SerialRange[]): (range: SerialRange) => boolean {
  const lastByFirst = new Map<bigint, bigint>();
  for (const [first, last] of ranges) {
    const known = lastByFirst.get(first);
    if (known === undefined || known < last) lastByFirst.set(first, last);
  }
  return ([first, last]) => (lastByFirst.get(first) ?? -1n) >= last;
}
