import type { GrantId, IdentityId, Instant, RequestId, Scope } from "../values/ids.ts";
import { minuteMs } from "../values/time.ts";

/** What a connector's configuration grants for an action, frozen with the grant: roles, principals, patterns. */
export type Rights = Readonly<Record<string, readonly string[]>>;

/**
 * The spec of one object at a target system, committed before the object exists. It has everything needed to take the
 * object back, so that editing a policy or a person never makes it irrevocable. Contains no secret.
 */
export interface TargetSpec {
  /** The connector's name in the configuration. */
  readonly connector: string;
  /** The object's name at the target, derived from the grant's id before it is created. */
  readonly object: string;
  /** The address of the system, as the connector reported it when the spec was made; absent when it reports none. */
  readonly place?: string;
  readonly grantId: GrantId;
  readonly requestId: RequestId;
  readonly subjectId: IdentityId;
  /** The grant's scopes that this connector serves. */
  readonly scopes: readonly Scope[];
  readonly rights: Rights;
  /** The latest end of the object, set in its label and in the target's own expiry. */
  readonly notAfter: Instant;
}

/** Distinguishes an object from others of the same name, as reported by the target at creation. */
export interface ObjectIdentity {
  /** The target's identifier of the object, which survives renaming: an OID, a GUID. */
  readonly id: string;
  /** The identifier of the target system, if known: two systems may have objects with the same name and id. */
  readonly system?: string;
}

/** The part of a spec that is known before its end and its owner are. */
export type DesiredTarget = Pick<TargetSpec, "connector" | "object" | "place" | "scopes" | "rights">;

/**
 * - PENDING: recorded; nothing has been tried.
 * - PROVISIONING: tried, perhaps without success yet; or it exists and gets a later end.
 * - PROVISIONED: it exists, as the target confirmed.
 * - REVOKING: its grant has ended, and it is being taken back.
 * - REVOKE_OVERDUE: not confirmed gone for {@link overdueMs}. It is retried without limit.
 * - REVOKED: confirmed gone. Final.
 * - ABANDONED: an administrator abandoned it; never confirmed gone. Final: it is not retried.
 * - FAILED: could not be provisioned. It is taken back too, because it may exist in part; final once cleared.
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

/** One object at a target system, and its state. */
export interface Target {
  readonly spec: TargetSpec;
  readonly state: TargetState;
  /** When its spec was last decided; after the grant has ended, when that was noticed. */
  readonly since: Instant;
  /** When the target confirmed that nothing is left, which settles it. */
  readonly clearedAt: Instant | null;
  /** Manual changes at the target, as last seen; one sentence each. */
  readonly drift: readonly string[];
  /** As the target last reported; absent before creation, or when this kind of target has none. */
  readonly identity?: ObjectIdentity;
  /** Why the last attempt failed, for people; absent before the first failure and after a success. */
  readonly problem?: string;
}

/** Access that has ended and is not confirmed gone after this is overdue, and is reported. */
export const overdueMs = minuteMs;

export function pendingTarget(spec: TargetSpec, now: Instant): Target {
  return { spec, state: "PENDING", since: now, clearedAt: null, drift: [] };
}

/** Whether every object exists, so that secrets can be issued. */
export function areReady(targets: readonly Target[]): boolean {
  return targets.every((target) => target.state === "PROVISIONED");
}

/** Whether it is confirmed gone or abandoned, so that it needs the connector no more. */
export function isSettled(target: Target): boolean {
  return settledAt(target) !== null;
}

/** Since when our records expect nothing at the target. */
export function settledAt({ state, since, clearedAt }: Target): Instant | null {
  return clearedAt ?? (state === "ABANDONED" ? since : null);
}

/** Marks everything that may exist for take-back, because the grant has ended. FAILED stays FAILED. */
export function markForTakeBack(targets: readonly Target[], now: Instant): readonly Target[] {
  return targets.map((target) =>
    isSettled(target)
      ? target
      : { ...target, state: target.state === "FAILED" ? "FAILED" : "REVOKING", since: now },
  );
}

/** Whether an unconfirmed take-back is late and not yet marked overdue. */
export function becomesOverdue(target: Target, now: Instant): boolean {
  const isWaiting = target.state === "REVOKING" || target.state === "FAILED";
  return isWaiting && !isSettled(target) && now >= target.since + overdueMs;
}
