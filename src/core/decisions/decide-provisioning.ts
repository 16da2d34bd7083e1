import { targetOf } from "../access/grant.ts";
import type { Actor } from "../access/access-request.ts";
import { onGrant, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import { decideRevoke } from "./decide-end.ts";
import type { Recorded } from "../access/events.ts";
import { holdsTargets, type Grant } from "../access/grant.ts";
import type { Instant } from "../values/ids.ts";
import { isRefusal, refuse } from "../values/refusals.ts";
import { becomesOverdue, isSettled, type ObjectIdentity, type Target } from "../access/target.ts";

/** Whether the target is to be made ready, or to be told a later end. */
export function isToBeProvisioned(grant: Grant, { state }: Target): boolean {
  return holdsTargets(grant) && (state === "PENDING" || state === "PROVISIONING");
}

/** Whether the target is to be taken back. */
export function isToBeTakenBack(grant: Grant, target: Target): boolean {
  return !holdsTargets(grant) && !isSettled(target);
}

export function decideAttempted(grant: Grant, connector: string, now: Instant): readonly Recorded[] {
  const target = targetOf(grant, connector);
  return target !== undefined && holdsTargets(grant) && target.state === "PENDING"
    ? [onGrant(grant, { type: "TargetAttempted", at: now, by: systemActor, connector })]
    : [];
}

/** @param notAfter The end it was told; one that has moved on since is told again. */
export function decideProvisioned(
  grant: Grant,
  connector: string,
  notAfter: Instant,
  now: Instant,
  identity?: ObjectIdentity,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || !isToBeProvisioned(grant, target) || target.spec.notAfter !== notAfter)
    return [];
  const { object } = target.spec;
  const known = identity === undefined ? {} : { identity };
  return [
    onGrant(grant, { type: "TargetProvisioned", at: now, by: systemActor, connector, object, ...known }),
  ];
}

/** @param left What it made and what stays there, one sentence each. */
export function decideCleared(
  grant: Grant,
  connector: string,
  now: Instant,
  left: readonly string[] = [],
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || !isToBeTakenBack(grant, target)) return [];
  const { object } = target.spec;
  const named = left.length === 0 ? {} : { left };
  return [onGrant(grant, { type: "TargetRevoked", at: now, by: systemActor, connector, object, ...named })];
}

/**
 * Gives up what is at a target that is lost. Live access ends with it: its holder may go on using the target, and nobody
 * could end that later.
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
    return refuse("not_found", `${object} is not at ${connector} any more: it was confirmed gone.`);
  }
  const ended = holdsTargets(grant) ? decideRevoke(accessCase, reason, by, now) : [];
  if (isRefusal(ended)) return ended;
  return [...ended, onGrant(grant, { type: "TargetAbandoned", at: now, by, connector, object, reason })];
}

/** Its target is at another address: from now on it is looked for there. */
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

/** @param known Why nobody gets through to this connector; counts where this target was not tried itself. */
export function decideOverdue(
  grant: Grant,
  connector: string,
  now: Instant,
  known?: string,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || holdsTargets(grant) || !becomesOverdue(target, now)) return [];
  const { object } = target.spec;
  const reason = target.problem ?? known;
  const why = reason === undefined ? {} : { reason };
  return [
    onGrant(grant, { type: "TargetRevokeOverdue", at: now, by: systemActor, connector, object, ...why }),
  ];
}

/** Once for each change of why attempts fail, so that whoever looks at the target is told. */
export function decideTroubled(
  grant: Grant,
  connector: string,
  problem: string,
  now: Instant,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || target.problem === problem) return [];
  if (!isToBeProvisioned(grant, target) && !isToBeTakenBack(grant, target)) return [];
  return [onGrant(grant, { type: "TargetTroubled", at: now, by: systemActor, connector, problem })];
}

/** Once for each change of what differs, also when it is as it should be again. */
export function decideDrift(
  grant: Grant,
  connector: string,
  drift: readonly string[],
  now: Instant,
): readonly Recorded[] {
  const target = targetOf(grant, connector);
  if (target === undefined || !holdsTargets(grant)) return [];
  const isSame = target.drift.length === drift.length && target.drift.every((one, at) => one === drift[at]);
  if (isSame) return [];
  const { object } = target.spec;
  return [onGrant(grant, { type: "TargetDrifted", at: now, by: systemActor, connector, object, drift })];
}
