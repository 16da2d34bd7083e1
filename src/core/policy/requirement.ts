import type { Demand, Requirement, Stage } from "./requirement-model.ts";
import type { IdentityId, PolicyId, Scope } from "../values/ids.ts";
import { selectorKey, withAddressesResolved, type Directory } from "../values/identity.ts";
import { policyDefaults, type ApprovalRule, type DecidingVia, type Policy } from "./policy.ts";

/** Everything the governing policies ask together of one request. */
export interface Terms {
  readonly requirement: Requirement;
  readonly maxDurationMs: number;
  readonly requireTicket: boolean;
  /** Every governing policy approves by itself. Never true of no policy at all. */
  readonly isAuto: boolean;
}

/**
 * Adds up the policies that govern the scopes of one request (contract §4): every stage of each, side by side, and the
 * shortest of their times. `chosen` is in the order of the request's scopes; empty for break-glass, which no policy
 * governs.
 */
export function requirementOf(chosen: readonly { readonly scope: Scope; readonly policy: Policy }[]): Terms {
  const governed = new Map<PolicyId, { readonly policy: Policy; readonly scopes: Scope[] }>();
  for (const { scope, policy } of chosen) {
    const entry = governed.get(policy.id);
    if (entry === undefined) governed.set(policy.id, { policy, scopes: [scope] });
    else if (!entry.scopes.includes(scope)) entry.scopes.push(scope);
  }
  const policies = [...governed.values()].map((one) => one.policy);
  const approvals = policies.flatMap(approvalOf);
  let number = 0;
  const demands = [...governed.values()].map(({ policy, scopes }): Demand => ({
    policyId: policy.id,
    policyName: policy.name,
    policyVersion: policy.version,
    scopes,
    stages: approvalOf(policy).flatMap((rule) =>
      rule.stages.map((stage) => ({ ...stage, number: ++number })),
    ),
  }));
  return {
    requirement: {
      demands,
      windowMs: shortest(
        approvals.map((rule) => rule.windowMs),
        policyDefaults.windowMs,
      ),
      claimWindowMs: shortest(
        policies.map((one) => one.claimWindowMs),
        policyDefaults.claimWindowMs,
      ),
      channels: [...new Set(approvals.flatMap((rule) => rule.channels))],
    },
    maxDurationMs: shortest(
      policies.map((one) => one.maxDurationMs),
      policyDefaults.maxDurationMs,
    ),
    requireTicket: policies.some((one) => one.requireTicket),
    isAuto: policies.length > 0 && policies.every((one) => one.effect.kind === "auto"),
  };
}

/** Every stage, in the order of their numbers. */
export function stagesOf(requirement: Requirement): readonly Stage[] {
  return requirement.demands.flatMap((demand) => demand.stages).toSorted((a, b) => a.number - b.number);
}

/** The requirement with the addresses of its stages bound to the identities they mean now: what is frozen. */
export function withApproversResolved(
  requirement: Requirement,
  directory: Directory,
  subjectId: IdentityId,
): Requirement {
  const resolved = (selectors: Stage["approvers"]): Stage["approvers"] =>
    withAddressesResolved(selectors, directory, subjectId);
  return {
    ...requirement,
    demands: requirement.demands.map((demand) => ({
      ...demand,
      stages: demand.stages.map((stage) => ({
        ...stage,
        approvers: resolved(stage.approvers),
        escalateTo: stage.escalateTo.map(resolved),
      })),
    })),
  };
}

/**
 * What today's policies demand and the frozen requirement does not: to be added at the press that would complete it,
 * numbered onward. Empty when nothing is missing.
 *
 * A person counts once per policy, so a policy of today is compared with one frozen demand at a time: with any that
 * demands all of it, else with its own, else with the one that demands most of it. In that last case the missing
 * stages join that frozen demand, because in one of their own a person who has already approved a part could approve
 * the rest as well; the policy itself is then listed without stages, so that it is on record.
 */
export function missingDemands(frozen: Requirement, current: Requirement): readonly Demand[] {
  let grown = frozen;
  const all: Demand[] = [];
  for (const demand of current.demands) {
    const missing = missingOf(demand, grown);
    grown = withAdded(grown, missing);
    all.push(...missing);
  }
  return all;
}

/**
 * The requirement with the added demands: their stages join the demand of the same policy where there is one, so that
 * its people still count once. Nothing frozen is dropped or changed.
 */
export function withAdded(frozen: Requirement, added: readonly Demand[]): Requirement {
  const demands = new Map(frozen.demands.map((demand) => [demand.policyId, demand]));
  for (const one of added) {
    const known = demands.get(one.policyId);
    demands.set(one.policyId, known === undefined ? one : joined(known, one));
  }
  return { ...frozen, demands: [...demands.values()] };
}

function joined(known: Demand, added: Demand): Demand {
  const newer = added.policyVersion >= known.policyVersion ? added : known;
  return {
    policyId: known.policyId,
    policyName: newer.policyName,
    policyVersion: newer.policyVersion,
    scopes: [...new Set([...known.scopes, ...added.scopes])],
    stages: [...known.stages, ...added.stages],
  };
}

function missingOf(demand: Demand, frozen: Requirement): readonly Demand[] {
  if (demand.stages.length === 0) return [];
  const compared = frozen.demands
    .map((one) => ({ one, missing: unmetApprovals(one.stages, demand.stages) }))
    .filter(({ missing }) => approvalsIn(missing) < approvalsIn(demand.stages))
    .toSorted((a, b) => approvalsIn(a.missing) - approvalsIn(b.missing));
  const best = compared[0];
  if (best?.missing.length === 0) return [];
  const highest = Math.max(0, ...stagesOf(frozen).map((stage) => stage.number));
  const numbered = (stages: readonly Stage[]): readonly Stage[] =>
    stages.map((stage, place) => ({ ...stage, number: highest + place + 1 }));
  const own = frozen.demands.find((one) => one.policyId === demand.policyId && one.stages.length > 0);
  if (own !== undefined) return [{ ...demand, stages: numbered(unmetApprovals(own.stages, demand.stages)) }];
  if (best === undefined) return [{ ...demand, stages: numbered(demand.stages) }];
  return [
    { ...best.one, stages: numbered(best.missing) },
    { ...demand, stages: [] },
  ];
}

/**
 * The wanted stages as far as the given ones do not already fill them, approval by approval: where one of two is given,
 * a stage for the other is missing. That is exact, because a person counts once over all stages of a demand. An
 * approval finds its place by moving others to where they fit as well (augmenting paths), so that no more is missing
 * than must be.
 */
function unmetApprovals(given: readonly Stage[], wanted: readonly Stage[]): readonly Stage[] {
  const approvalSlots = given.flatMap((stage) => Array.from({ length: stage.required }, () => ({ stage })));
  const takenBy = new Map<{ readonly stage: Stage }, Stage>();
  const isAssigned = (stage: Stage, tried: Set<unknown>): boolean => {
    for (const slot of approvalSlots) {
      if (tried.has(slot) || !covers(slot.stage, stage)) continue;
      tried.add(slot);
      const other = takenBy.get(slot);
      if (other === undefined || isAssigned(other, tried)) {
        takenBy.set(slot, stage);
        return true;
      }
    }
    return false;
  };
  return wanted.flatMap((stage) => {
    let missing = 0;
    for (let slot = 0; slot < stage.required; slot++) if (!isAssigned(stage, new Set())) missing++;
    return missing === 0 ? [] : [{ ...stage, required: missing }];
  });
}

/** Whether an approval for `one` is one for `other` too: the same approvers, through no more doors. */
function covers(one: Stage, other: Stage): boolean {
  const channels = new Set(channelsOf(other));
  return (
    channelsOf(one).every((channel) => channels.has(channel)) && selectorsKey(one) === selectorsKey(other)
  );
}

function approvalsIn(stages: readonly Stage[]): number {
  return stages.reduce((sum, stage) => sum + stage.required, 0);
}

const everyChannel: readonly DecidingVia[] = ["slack", "teams", "api"];

function channelsOf(stage: Stage): readonly DecidingVia[] {
  return stage.via ?? everyChannel;
}

function selectorsKey(stage: Stage): string {
  return [...new Set(stage.approvers.map(selectorKey))].toSorted().join("\n");
}

function approvalOf(policy: Policy): readonly ApprovalRule[] {
  return policy.effect.kind === "approval" ? [policy.effect.approval] : [];
}

function shortest(durationsMs: readonly number[], otherwise: number): number {
  return durationsMs.length === 0 ? otherwise : Math.min(...durationsMs);
}
