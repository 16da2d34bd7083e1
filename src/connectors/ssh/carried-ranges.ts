import type { Instant } from "../../core/values/ids.ts";
import { dayMs, durationMaxMs, plus } from "../../core/values/time.ts";
import type { SerialRange } from "./krl.ts";

/** A revocation found in the list that no entry of the ledger explains: the ledger was lost, or is an older copy. */
export interface CarriedRange {
  readonly range: SerialRange;
  /** No certificate with these serials is good after this. */
  readonly until: Instant;
}

/** The clocks of hosts may be this far behind. */
export const keptAfterEndMs = dayMs;

/**
 * What has to stay revoked although no entry explains it. A revocation is never forgotten because the ledger was: it
 * stays until the longest possible certificate has ended.
 *
 * @param found What the revocation list says.
 * @param explained What the entries of the ledger say, also those that are about to be dropped.
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
  return [...before.filter((one) => one.until > now), ...added];
}

/** Whether all of a range is in one of these. Ranges of one grant begin with the same serial. */
export function coveredBy(ranges: readonly SerialRange[]): (range: SerialRange) => boolean {
  const lastByFirst = new Map<bigint, bigint>();
  for (const [first, last] of ranges) {
    const known = lastByFirst.get(first);
    if (known === undefined || known < last) lastByFirst.set(first, last);
  }
  return ([first, last]) => (lastByFirst.get(first) ?? -1n) >= last;
}
