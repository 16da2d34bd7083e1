import type { Demand, Requirement, Stage } from "./requirement-model.ts";
import type { IdentityId, PolicyId, Scope } from "../values/ids.ts";
import { selectorKey, withAddressesResolved, type Directory } from "../values/identity.ts";
import { policyDefaults, type ApprovalRule, type DecidingVia, type Policy } from "./policy.ts";

/** The combined terms of all governing policies of one request. */
export interface Terms {
  readonly requirement: Requirement;
  readonly maxDurationMs: number;
  readonly requireTicket: boolean;
  /** Whether every governing policy approves by itself. False without a policy. */
  readonly isAuto: boolean;
}

/**
 * Combines the policies that govern a request: all stages of each, in parallel, and the shortest of their times
 * (docs/policies.md#adding-up). `chosen` is in the order of the request's scopes. It is empty for break-glass, which
 * no policy governs.
 */
export function requirementOf(
  governing: readonly { readonly scope: Scope; readonly policy: Policy }[],
): Terms {
  const byPolicy = new Map<PolicyId, { readonly policy: Policy; readonly scopes: Scope[] }>();
  for (const { scope, policy } of governing) {
    const entry = byPolicy.get(policy.id);
    if (entry === undefined) byPolicy.set(policy.id, { policy, scopes: [scope] });
    else if (!entry.scopes.includes(scope)) entry.scopes.push(scope);
  }
  const policies = [...byPolicy.values()].map(({ policy }) => policy);
  const approvals = policies.flatMap(approvalOf);
  let number = 0;
  const demands = [...byPolicy.values()].map(({ policy, scopes }): Demand => ({
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
        policies.map(({ claimWindowMs }) => claimWindowMs),
        policyDefaults.claimWindowMs,
      ),
      channels: [...new Set(approvals.flatMap((rule) => rule.channels))],
    },
    maxDurationMs: shortest(
      policies.map(({ maxDurationMs }) => maxDurationMs),
      policyDefaults.maxDurationMs,
    ),
    requireTicket: policies.some(({ requireTicket }) => requireTicket),
    isAuto: policies.length > 0 && policies.every(({ effect }) => effect.kind === "auto"),
  };
}

/** All stages, ordered by number. */
export function stagesOf(requirement: Requirement): readonly Stage[] {
  return requirement.demands.flatMap((demand) => demand.stages).toSorted((a, b) => a.number - b.number);
}

/** Binds the addresses in all stages to the identities that have them now, before freezing. */
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
 * What current policies demand beyond the frozen requirement. It is added at the approval that would complete the
 * request; numbers continue.
 *
 * A person counts once per policy, so each current policy is compared with one frozen demand: one that covers it,
 * else its own, else the closest. In the last case the missing stages join that demand, because in a separate one a
 * person who already approved part could approve the rest too. The policy itself is then listed without stages, so
 * that it is recorded.
 */
export function missingDemands(frozen: Requirement, current: Requirement): readonly Demand[] {
  let combined = frozen;
  const added: Demand[] = [];
  for (const demand of current.demands) {
    const missing = missingOf(demand, combined);
    combined = withAdded(combined, missing);
    added.push(...missing);
  }
  return added;
}

/**
 * Adds demands to the requirement. Stages join the demand of the same policy if there is one, so that its people
 * still count once. Nothing frozen is removed or changed.
 */
export function withAdded(frozen: Requirement, added: readonly Demand[]): Requirement {
  const demands = new Map(frozen.demands.map((demand) => [demand.policyId, demand]));
  for (const demand of added) {
    const known = demands.get(demand.policyId);
    demands.set(demand.policyId, known === undefined ? demand : joinDemands(known, demand));
  }
  return { ...frozen, demands: [...demands.values()] };
}

function joinDemands(known: Demand, added: Demand): Demand {
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
  const closest = frozen.demands
    .map((existing) => ({ existing, missing: unmetApprovals(existing.stages, demand.stages) }))
    .filter(({ missing }) => approvalsIn(missing) < approvalsIn(demand.stages))
    .toSorted((a, b) => approvalsIn(a.missing) - approvalsIn(b.missing));
  const best = closest[0];
  if (best?.missing.length === 0) return [];
  const highest = Math.max(0, ...stagesOf(frozen).map((stage) => stage.number));
  const renumber = (stages: readonly Stage[]): readonly Stage[] =>
    stages.map((stage, place) => ({ ...stage, number: highest + place + 1 }));
  const own = frozen.demands.find(
    ({ policyId, stages }) => policyId === demand.policyId && stages.length > 0,
  );
  if (own !== undefined) return [{ ...demand, stages: renumber(unmetApprovals(own.stages, demand.stages)) }];
  if (best === undefined) return [{ ...demand, stages: renumber(demand.stages) }];
  return [
    { ...best.existing, stages: renumber(best.missing) },
    { ...demand, stages: [] },
  ];
}

/**
 * Approvals still missing after crediting the given ones. Exact, because a person counts once per demand; matched
 * with augmenting paths so that no more is reported missing than necessary.
 */
function unmetApprovals(given: readonly Stage[], wanted: readonly Stage[]): readonly Stage[] {
  const approvalSlots = given.flatMap((stage) => Array.from({ length: stage.required }, () => ({ stage })));
  const assignments = new Map<{ readonly stage: Stage }, Stage>();
  const isAssigned = (stage: Stage, tried: Set<unknown>): boolean => {
    for (const slot of approvalSlots) {
      if (tried.has(slot) || !covers(slot.stage, stage)) continue;
      tried.add(slot);
      const holder = assignments.get(slot);
      if (holder === undefined || isAssigned(holder, tried)) {
        assignments.set(slot, stage);
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

/** Whether an approval for `given` also counts for `wanted`: the same approvers, on no additional surfaces. */
function covers(given: Stage, wanted: Stage): boolean {
  const channels = new Set(channelsOf(wanted));
  return (
    channelsOf(given).every((channel) => channels.has(channel)) &&
    selectorsKey(given) === selectorsKey(wanted)
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

function shortest(durationsMs: readonly number[], fallback: number): number {
  return durationsMs.length === 0 ? fallback : Math.min(...durationsMs);
}
