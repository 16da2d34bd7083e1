import { conditionsIn, leavesIn } from "./condition-tree.ts";
import type { Condition } from "./conditions.ts";
import { contradictionOf } from "./contradictory-conditions.ts";
import type { Policy, Rules, StageRule } from "./policy.ts";
import type { PlacedProblem } from "../values/refusals.ts";
import { formatDuration } from "../values/time.ts";

type WrittenPolicy = Pick<
  Policy,
  "name" | "message" | "enabled" | "effect" | "conditions" | "priority" | "maxDurationMs" | "maxUsage"
>;

/** Rules in the order of the file. */
export interface WrittenRules {
  readonly policies: readonly WrittenPolicy[];
  readonly rules: Rules;
  /** Policies in force from another source: they may follow or shadow these. */
  readonly otherPolicies?: readonly WrittenPolicy[];
}

/** Warns about rules that have no effect, or another one than it seems, independent of people. */
export function policyWarnings({
  policies,
  rules,
  otherPolicies = [],
}: WrittenRules): readonly PlacedProblem[] {
  return [
    ...impossibleConditions({ policies, rules }),
    ...riskWithoutRules({ policies, rules }),
    ...policies.flatMap((policy, index) =>
      policy.enabled ? policyOwnWarnings(policy, ["policies", String(index)]) : [],
    ),
    ...(rules.defaultPolicy === undefined ? [] : policyOwnWarnings(rules.defaultPolicy, ["default"])),
    ...missingFallbacks(policies, otherPolicies, rules),
    ...shadowedPolicies(policies, otherPolicies),
  ];
}

function impossibleConditions(content: WrittenRules): readonly PlacedProblem[] {
  return conditionsIn(content).flatMap(({ path, conditions }) => {
    const reason = contradictionOf(conditions);
    if (reason !== undefined) return [{ path, message: `never hold: ${reason}` }];
    return alternativesIn(conditions, path);
  });
}

/** Alternatives of an `anyOf` that can never hold, while another can. */
function alternativesIn(conditions: readonly Condition[], path: readonly string[]): readonly PlacedProblem[] {
  return conditions.flatMap((condition, index) => {
    if (!("anyOf" in condition)) return [];
    return condition.anyOf.flatMap((alternative, position) => {
      const reason = contradictionOf([alternative]);
      const place = [...path, String(index), "anyOf", String(position)];
      return reason === undefined ? [] : [{ path: place, message: `never holds: ${reason}` }];
    });
  });
}

/**
 * Warns about RISK_SCORE without risk rules: the score is unknown, so auto policies never approve by it, and other
 * policies always govern.
 */
function riskWithoutRules(content: WrittenRules): readonly PlacedProblem[] {
  if (content.rules.risk.length > 0) return [];
  return conditionsIn(content)
    .flatMap(leavesIn)
    .filter(({ leaf }) => leaf.type === "RISK_SCORE")
    .map(({ path }) => ({
      path: [...path, "type"],
      message: "RISK_SCORE is not known without risk rules: add some under `risk`, or leave this out",
    }));
}

function policyOwnWarnings(policy: WrittenPolicy, path: readonly string[]): readonly PlacedProblem[] {
  const { effect } = policy;
  const isMessageUnused = policy.message !== undefined && effect.kind !== "deny";
  return [
    ...(isMessageUnused
      ? [{ path: [...path, "message"], message: "is never shown: this policy denies nothing" }]
      : []),
    ...durationWarnings(policy, path),
    ...(effect.kind === "approval"
      ? effect.approval.stages.flatMap((stage, index) =>
          timeWarnings(stage, effect.approval.windowMs, [...path, "approval", "stages", String(index)]),
        )
      : []),
  ];
}

/** A policy that refuses everything it governs, because its maximum duration is too short. */
function durationWarnings(
  { conditions, maxDurationMs, effect }: WrittenPolicy,
  path: readonly string[],
): readonly PlacedProblem[] {
  if (effect.kind === "deny") return [];
  const allowed: Condition = { type: "DURATION", operator: "LESS_THAN_OR_EQUAL", valueMs: maxDurationMs };
  const isRefused =
    contradictionOf(conditions) === undefined && contradictionOf([...conditions, allowed]) !== undefined;
  if (!isRefused) return [];
  const message = `${formatDuration(maxDurationMs)} is less than the durations that the conditions ask for: whatever this policy governs is refused`;
  return [{ path: [...path, "maxDuration"], message }];
}

function timeWarnings(stage: StageRule, windowMs: number, path: readonly string[]): readonly PlacedProblem[] {
  const { slaMs, escalateTo, remindersMs } = stage;
  const window = formatDuration(windowMs);
  const warnings: PlacedProblem[] = [];
  if (slaMs !== undefined && escalateTo.length === 0) {
    warnings.push({ path: [...path, "sla"], message: "changes nothing without `escalateTo`" });
  }
  if (slaMs !== undefined && slaMs >= windowMs) {
    const message = `the request times out before: its window is ${window}`;
    warnings.push({ path: [...path, "sla"], message });
  } else if (slaMs !== undefined) {
    for (const level of escalateTo.keys()) {
      if (slaMs * (level + 1) < windowMs) continue;
      const message = `is never asked: it would be after ${formatDuration(slaMs * (level + 1))}, and the window is ${window}`;
      warnings.push({ path: [...path, "escalateTo", String(level)], message });
    }
  }
  for (const reminderMs of remindersMs) {
    const reminder = `the reminder after ${formatDuration(reminderMs)}`;
    if (reminderMs >= windowMs) {
      const message = `${reminder} is never sent: the window is ${window}`;
      warnings.push({ path: [...path, "reminders"], message });
    } else if (slaMs !== undefined && reminderMs > slaMs) {
      const message = `${reminder} comes after the SLA of ${formatDuration(slaMs)}, when further people have been asked already`;
      warnings.push({ path: [...path, "reminders"], message });
    }
  }
  return warnings;
}

/** Types of conditions that describe the access itself, not the request for it. */
const aboutAccess: ReadonlySet<string> = new Set(["RESOURCE", "ACTION", "SCOPE"]);

/** The most pairs of policies that are compared; above it, no warning is given. */
const comparisonsMax = 50_000;

/** Auto policies without an approval policy to follow when they are exhausted or do not hold. */
function missingFallbacks(
  policies: readonly WrittenPolicy[],
  others: readonly WrittenPolicy[],
  { defaultPolicy }: Rules,
): readonly PlacedProblem[] {
  const asking = [...policies, ...others]
    .filter(({ enabled, effect }) => enabled && effect.kind === "approval")
    .map(({ conditions }) => conditions.filter(isAboutAccess));
  if (policies.length * asking.length > comparisonsMax) return [];
  return policies.flatMap((policy, index) => {
    if (!policy.enabled || policy.effect.kind !== "auto") return [];
    const access = policy.conditions.filter(isAboutAccess);
    const isFollowed = asking.some((other) => contradictionOf([...access, ...other]) === undefined);
    const place = ["policies", String(index)];
    if (isFollowed) return [];
    if (policy.maxUsage !== undefined) {
      const isDefault = defaultPolicy !== undefined;
      const message = `once it is spent, requests are refused with limit_reached: no policy that asks people follows it${isDefault ? ", and the default does not stand in for a spent one" : ""}`;
      return [{ path: [...place, "maxUsage"], message }];
    }
    const isPartial = access.length < policy.conditions.length;
    if (!isPartial || defaultPolicy !== undefined) return [];
    const message =
      "whatever it does not approve is denied: no policy that asks people follows it, and there is no default";
    return [{ path: [...place, "autoApprove"], message }];
  });
}

function isAboutAccess(condition: Condition): boolean {
  if ("anyOf" in condition) return condition.anyOf.every(isAboutAccess);
  return "not" in condition ? isAboutAccess(condition.not) : aboutAccess.has(condition.type);
}

/** Policies that never govern, because another takes precedence wherever they hold. */
function shadowedPolicies(
  policies: readonly WrittenPolicy[],
  elsewhere: readonly WrittenPolicy[],
): readonly PlacedProblem[] {
  const byConditions = new Map<string, WrittenPolicy[]>();
  for (const policy of [...policies, ...elsewhere]) {
    // An auto policy gives way when it is exhausted or a condition is unknown, so it never shadows for certain.
    if (!policy.enabled || policy.effect.kind === "auto") continue;
    const key = keyOf(policy.conditions);
    byConditions.set(key, [...(byConditions.get(key) ?? []), policy]);
  }
  const always = byConditions.get(keyOf([])) ?? [];
  return policies.flatMap((policy, index) => {
    if (!policy.enabled) return [];
    const others = [
      ...always,
      ...(policy.conditions.length === 0 ? [] : (byConditions.get(keyOf(policy.conditions)) ?? [])),
    ];
    const first = others.find((other) => other !== policy && takesPrecedence(other, policy));
    if (first === undefined) return [];
    const message = `never governs: "${first.name}" holds wherever it does and comes first`;
    return [{ path: ["policies", String(index), "name"], message }];
  });
}

function keyOf(conditions: readonly Condition[]): string {
  return JSON.stringify(conditions.map((condition) => JSON.stringify(condition)).toSorted());
}

function takesPrecedence(other: WrittenPolicy, policy: WrittenPolicy): boolean {
  if (other.effect.kind === "deny") return policy.effect.kind !== "deny";
  if (policy.effect.kind === "deny") return false;
  if (other.priority !== policy.priority) return other.priority > policy.priority;
  return policy.effect.kind === "auto";
}
