import type { GrantId, IdentityId, Instant, RequestId, Scope } from "../values/ids.ts";
import { minuteMs } from "../values/time.ts";

/** What a connector's configuration says about an action, frozen with the grant: roles, principals, patterns. */
export type Rights = Readonly<Record<string, readonly string[]>>;

/**
 * One object of ours at a real system, as committed before it exists there. It holds everything that is needed to take
 * it back, so that editing a policy or a person never makes it irrevocable. No secret.
 */
export interface TargetSpec {
  /** The connector's name in the configuration. */
  readonly connector: string;
  /** The object's name at the target: a pure function of the grant's id, found before it is made. */
  readonly object: string;
  /** Which system it is at, as the connector said when it was ordered; absent when it says nothing about that. */
  readonly place?: string;
  readonly grantId: GrantId;
  readonly requestId: RequestId;
  readonly subjectId: IdentityId;
  /** Those of the grant's scopes that this connector serves. */
  readonly scopes: readonly Scope[];
  readonly rights: Rights;
  /** The latest end this object may have: its label and the target's own expiry say so. */
  readonly notAfter: Instant;
}

/** What tells an object from others of the same name, as the target said when it was made. */
export interface ObjectIdentity {
  /** The target's own identifier, which survives renaming: an OID, a GUID. */
  readonly id: string;
  /** The target's identifier of itself, where it can be read: two systems may hold objects of the same name and id. */
  readonly system?: string;
}

/** What is decided of an order before it is known when it ends and whose it is. */
export type DesiredTarget = Pick<TargetSpec, "connector" | "object" | "place" | "scopes" | "rights">;

/**
 * - PENDING: ordered; nothing has been tried.
 * - PROVISIONING: tried, perhaps in vain so far; or there, and to be given a later end.
 * - PROVISIONED: there, by the target's own word.
 * - REVOKING: its grant is over; it is to be taken back.
 * - REVOKE_OVERDUE: that has not succeeded for {@link overdueMs}. It goes on being tried without limit.
 * - REVOKED: confirmed gone. Final.
 * - ABANDONED: an administrator has given it up; it was never confirmed gone. Final: it is not tried any more.
 * - FAILED: could not be given. It is taken back all the same, for nobody knows how far it came; final once cleared.
 */
export const targetStates = [
  "PENDING",
  "PROVISIONING",
  "PROVISIONED",
  "REVOKING",
  "REVOKED",
  "REVOKE_OVERDUE",
  "ABANDONED",
  "FAILED",
] as const;
export type TargetState = (typeof targetStates)[number];

/** One object of ours at a real system, and how far it has come. */
export interface Target {
  readonly spec: TargetSpec;
  readonly state: TargetState;
  /** When what it should be was last decided; for a grant that is over, its end. */
  readonly since: Instant;
  /** When the target confirmed that nothing is left of it. From then on it is settled. */
  readonly clearedAt: Instant | null;
  /** What was changed there by hand, as last seen. One sentence each. */
  readonly drift: readonly string[];
  /** As the target last said; absent where the kind knows none, or before it was made. */
  readonly identity?: ObjectIdentity;
  /** Why the last attempt at it failed, for people; absent when none has, or once one has succeeded. */
  readonly problem?: string;
}

/** Access that is over and not confirmed gone after this is overdue, and says so. */
export const overdueMs = minuteMs;

export function pendingTarget(spec: TargetSpec, now: Instant): Target {
  return { spec, state: "PENDING", since: now, clearedAt: null, drift: [] };
}

/** Everything ordered is there, so that secrets can be given out. */
export function areReady(targets: readonly Target[]): boolean {
  return targets.every((target) => target.state === "PROVISIONED");
}

/** Confirmed gone, or given up; the connector is needed no more for this one. */
export function isSettled(target: Target): boolean {
  return settledAt(target) !== null;
}

/** Since when our records expect nothing at the target any more. */
export function settledAt({ state, since, clearedAt }: Target): Instant | null {
  return clearedAt ?? (state === "ABANDONED" ? since : null);
}

/** The grant is over: everything that may be there is to be taken back. What failed keeps saying so. */
export function takenBack(targets: readonly Target[], now: Instant): readonly Target[] {
  return targets.map((target) =>
    isSettled(target)
      ? target
      : { ...target, state: target.state === "FAILED" ? "FAILED" : "REVOKING", since: now },
  );
}

/** Whether a take-back that is still to be confirmed should be called late and is not yet. */
export function becomesOverdue(target: Target, now: Instant): boolean {
  const isAwaited = target.state === "REVOKING" || target.state === "FAILED";
  return isAwaited && !isSettled(target) && now >= target.since + overdueMs;
}
