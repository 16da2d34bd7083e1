import { needsTargets, targetOf, type Grant } from "./grant.ts";
import type { GrantId, Instant } from "../values/ids.ts";
import { isSettled, settledAt, type ObjectIdentity, type Target } from "./target.ts";
import { formatInstant, minuteMs, plus } from "../values/time.ts";

/** An object of ours as a target lists it. */
export interface ListedObject {
  readonly object: string;
  /** From its label; null when the label cannot be read. */
  readonly grantId: GrantId | null;
  readonly notAfter: Instant | null;
  readonly drift: readonly string[];
  readonly identity?: ObjectIdentity;
}

/** How long an unexplained object stays before it is removed, so that people can inspect it. */
export const orphanGraceMs = 10 * minuteMs;

/**
 * - expected: a grant that is being prepared or runs needs it.
 * - ending: its take-back is recorded and under way.
 * - over: our records say it is gone, but it exists. Removed immediately.
 * - expired: no grant of ours, and its own label has passed its end. Removed immediately.
 * - unexplained: no grant of ours. Reported, and removed after {@link orphanGraceMs}.
 * - contradictory: it names a grant of ours that needs another object, or its label cannot be read. Reported and
 * never
 *   removed, because it could be needed, or not be ours.
 */
export type OrphanStatus = "expected" | "ending" | "over" | "expired" | "unexplained" | "contradictory";

/**
 * Compares a listed object with our records. Read the grant after taking the listing: a record is committed before
 * its object is created, so no record really means orphan.
 *
 * @param listedAt when the listing was started; a confirmation since then does not count.
 */
export function orphanStatusOf(
  listed: ListedObject,
  connector: string,
  grant: Grant | undefined,
  listedAt: Instant,
  now: Instant,
): OrphanStatus {
  if (listed.grantId === null) return "contradictory";
  const target = grant && targetOf(grant, connector);
  const isInSpec = target?.spec.object === listed.object;
  if (grant !== undefined && needsTargets(grant)) return isInSpec ? "expected" : "contradictory";
  if (target !== undefined && isInSpec) {
    const settled = settledAt(target);
    const isGone = settled !== null && settled < listedAt;
    return isGone ? "over" : "ending";
  }
  return listed.notAfter !== null && listed.notAfter <= now ? "expired" : "unexplained";
}

/** Whether an object first seen at `seenAt` should be removed now. */
export function shouldRemove(status: OrphanStatus, seenAt: Instant, now: Instant): boolean {
  if (status === "over" || status === "expired") return true;
  return status === "unexplained" && now >= plus(seenAt, orphanGraceMs);
}

/**
 * How the object differs from its spec. Undefined when the listing cannot tell, because we changed the object while
 * it was taken.
 */
export function driftOf(
  target: Target,
  listed: ListedObject | undefined,
  listedAt: Instant,
): readonly string[] | undefined {
  if (target.state !== "PROVISIONED" || isSettled(target) || target.since >= listedAt) return undefined;
  if (listed === undefined) return ["it is not there any more"];
  const { notAfter } = target.spec;
  const isLater = listed.notAfter !== null && listed.notAfter > notAfter;
  const drift = isLater ? [`its label says it lasts later than ${formatInstant(notAfter)}`] : [];
  return [...listed.drift, ...drift];
}
