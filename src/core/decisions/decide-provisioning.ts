import { targetOf } from "../access/grant.ts";
import type { Actor } from "../access/access-request.ts";
import { onGrant, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import { decideRevoke } from "./decide-end.ts";
import type { Recorded } from "../access/events.ts";
import { needsTargets, type Grant } from "../access/grant.ts";
import type { Instant } from "../values/ids.ts";
import { isRefusal, refuse } from "../values/refusals.ts";
import { becomesOverdue, isSettled, type ObjectIdentity, type Target } from "../access/target.ts";

/** Whether the object must be created, or given a later end. */
export function needsProvisioning(grant: Grant, { state }: Target): boolean {
  return needsTargets(grant) && (state === "PENDING" || state === "PROVISIONING");
}

/** Whether the object must be taken back. */
export function needsTakeBack(grant: Grant, target: Target): boolean {
  return !needsTargets(grant) && !isSettled(target);
}

export function decideAttempted(grant: Grant, connector: string, now: Instant): readonly Recorded[] {
  const target = targetOf(grant, connector);
  return target !== undefined && needsTargets(grant) && target.state === "PENDING"
    ? [onGrant(grant, { type: "TargetAttempted", at: now, by: systemActor, connector })]
    : [];
}

/**
 * @param notAfter the end the object was given; ignored when the spec has a later one by now, which is provisioned
 * again.
 */
export function decideProvisioned(
  grant: Grant,
  connector: string,
  notAfter: Instant,
  now: Instant,
  identity?: ObjectIdentity,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || !needsProvisioning(grant, target) || target.spec.notAfter !== notAfter)
    return [];
  const { object } = target.spec;
  const identityField = identity === undefined ? {} : { identity };
  return [
    onGrant(grant, {
      type: "TargetProvisioned",
      at: now,
      by: systemActor,
      connector,
      object,
      ...identityField,
    }),
  ];
}

/** @param left what the object created and what remains there, one sentence each. */
export function decideCleared(
  grant: Grant,
  connector: string,
  now: Instant,
  left: readonly string[] = [],
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || !needsTakeBack(grant, target)) return [];
  const { object } = target.spec;
  const leftField = left.length === 0 ? {} : { left };
  return [
    onGrant(grant, { type: "TargetRevoked", at: now, by: systemActor, connector, object, ...leftField }),
  ];
}

/**
 * Abandons an object at a lost target. Live access ends with it, because its holder could go on using the target and
 * nobody could end that later.
 */
export function decideAbandonTarget(
  accessCase: AccessCase & { readonly grant: Grant },
  connector: string,
  reason: string,
  by: Actor,
  now: Instant,
): Decision {
  const { grant } = accessCase;
  const target = targetOf(grant, connector);
  if (target === undefined) return refuse("not_found", `This access has nothing at ${connector}.`);
  const { object } = target.spec;
  if (target.state === "ABANDONED") {
    return refuse("already_abandoned", `${object} was abandoned before. It was never confirmed gone.`);
  }
  if (isSettled(target)) {
    return refuse("not_found", `${object} is no longer at ${connector}: it was confirmed gone.`);
  }
  const endEvents = needsTargets(grant) ? decideRevoke(accessCase, reason, by, now) : [];
  if (isRefusal(endEvents)) return endEvents;
  return [...endEvents, onGrant(grant, { type: "TargetAbandoned", at: now, by, connector, object, reason })];
}

/** Records the target's new address. */
export function decideMoved(
  grant: Grant,
  connector: string,
  place: string,
  now: Instant,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || isSettled(target) || target.spec.place === place) return [];
  return [onGrant(grant, { type: "TargetMoved", at: now, by: systemActor, connector, place })];
}

/** @param outage why the connector is unreachable; used where this target was not tried itself. */
export function decideOverdue(
  grant: Grant,
  connector: string,
  now: Instant,
  outage?: string,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || needsTargets(grant) || !becomesOverdue(target, now)) return [];
  const { object } = target.spec;
  const reason = target.problem ?? outage;
  const reasonField = reason === undefined ? {} : { reason };
  return [
    onGrant(grant, {
      type: "TargetRevokeOverdue",
      at: now,
      by: systemActor,
      connector,
      object,
      ...reasonField,
    }),
  ];
}

/** Records each new reason why attempts fail, so that people who inspect the target see it. */
export function decideTroubled(
  grant: Grant,
  connector: string,
  problem: string,
  now: Instant,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || target.problem === problem) return [];
  if (!needsProvisioning(grant, target) && !needsTakeBack(grant, target)) return [];
  return [onGrant(grant, { type: "TargetTroubled", at: now, by: systemActor, connector, problem })];
}

/** Records each change of the differences, including their end. */
export function decideDrift(
  grant: Grant,
  connector: string,
  drift: readonly string[],
  now: Instant,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || !needsTargets(grant)) return [];
  const isSame =
    target.drift.length === drift.length && target.drift.every((line, index) => line === drift[index]);
  if (isSame) return [];
  const { object } = target.spec;
  return [onGrant(grant, { type: "TargetDrifted", at: now, by: systemActor, connector, object, drift })];
}
