import { holdsTargets, type Grant } from "./grant.ts";
import type { GrantId, Instant } from "../values/ids.ts";
import { targetOf } from "./grant.ts";
import { isSettled, settledAt, type ObjectIdentity, type Target } from "./target.ts";
import { formatInstant, minuteMs, plus } from "../values/time.ts";

/** What a target lists of ours, as far as it is judged here. */
export interface Listed {
  readonly object: string;
  /** From its label; null when that cannot be read. */
  readonly grantId: GrantId | null;
  readonly notAfter: Instant | null;
  readonly drift: readonly string[];
  readonly identity?: ObjectIdentity;
}

/** What nobody can explain is left this long before it is removed, for somebody to look at it. */
export const orphanGraceMs = 10 * minuteMs;

/**
 * - expected: a grant that is prepared or runs wants it there.
 * - ending: its take-back is written down and goes on.
 * - over: our own records say that it is gone, and it is there. Removed at once.
 * - expired: no grant of ours, and its own label says that its time is over. Removed at once.
 * - unexplained: no grant of ours. Reported, and removed after {@link orphanGraceMs}.
 * - contradictory: it names a grant of ours that wants something else, or its label cannot be read. Reported, and never
 *   removed, for taking it back could hit what is wanted, or what is not ours.
 */
export type OrphanStatus = "expected" | "ending" | "over" | "expired" | "unexplained" | "contradictory";

/**
 * How a listed object stands with our records. The grant must be read after the listing was taken: what is being made
 * ready has its record before it exists, so it is always found.
 *
 * @param listedAt When the listing was begun; what was cleared since then proves nothing.
 */
export function orphanStatusOf(
  listed: Listed,
  connector: string,
  grant: Grant | undefined,
  listedAt: Instant,
  now: Instant,
): OrphanStatus {
  if (listed.grantId === null) return "contradictory";
  const target = grant && targetOf(grant, connector);
  const isOrdered = target?.spec.object === listed.object;
  if (grant !== undefined && holdsTargets(grant)) return isOrdered ? "expected" : "contradictory";
  if (target !== undefined && isOrdered) {
    const settled = settledAt(target);
    const isGone = settled !== null && settled < listedAt;
    return isGone ? "over" : "ending";
  }
  return listed.notAfter !== null && listed.notAfter <= now ? "expired" : "unexplained";
}

/** Whether what was first seen at `seenAt` is to be removed now. */
export function isToBeRemoved(status: OrphanStatus, seenAt: Instant, now: Instant): boolean {
  if (status === "over" || status === "expired") return true;
  return status === "unexplained" && now >= plus(seenAt, orphanGraceMs);
}

/**
 * What differs at the target from what was ordered; undefined when the listing cannot tell, because the target was
 * changed by ourselves while it was taken.
 */
export function driftOf(
  target: Target,
  listed: Listed | undefined,
  listedAt: Instant,
): readonly string[] | undefined {
  if (target.state !== "PROVISIONED" || isSettled(target) || target.since >= listedAt) return undefined;
  if (listed === undefined) return ["it is not there any more"];
  const { notAfter } = target.spec;
  const isLater = listed.notAfter !== null && listed.notAfter > notAfter;
  const later = isLater ? [`its label says it lasts later than ${formatInstant(notAfter)}`] : [];
  return [...listed.drift, ...later];
}
