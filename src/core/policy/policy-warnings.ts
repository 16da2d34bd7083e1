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

/** Rules as they were written, in the order of the file. */
export interface WrittenRules {
  readonly policies: readonly WrittenPolicy[];
  readonly rules: Rules;
  /** In force and written elsewhere: they follow or hide what is written here. */
  readonly otherPolicies?: readonly WrittenPolicy[];
}

/** What is written and makes no difference, or another one than it seems, whoever the people are. */
export function policyWarnings({
  policies,
  rules,
  otherPolicies = [],
}: WrittenRules): readonly PlacedProblem[] {
  return [
    ...neverTrue({ policies, rules }),
    ...riskWithoutRules({ policies, rules }),
    ...policies.flatMap((policy, index) =>
      policy.enabled ? ownWarnings(policy, ["policies", String(index)]) : [],
    ),
    ...(rules.defaultPolicy === undefined ? [] : ownWarnings(rules.defaultPolicy, ["default"])),
    ...withoutFallback(policies, otherPolicies, rules),
    ...shadowed(policies, otherPolicies),
  ];
}

function neverTrue(content: WrittenRules): readonly PlacedProblem[] {
  return conditionsIn(content).flatMap(({ path, conditions }) => {
    const why = contradictionOf(conditions);
    if (why !== undefined) return [{ path, message: `never hold: ${why}` }];
    return alternativesIn(conditions, path);
  });
}

/** Alternatives of `anyOf` that can never hold, where another can. */
function alternativesIn(conditions: readonly Condition[], path: readonly string[]): readonly PlacedProblem[] {
  return conditions.flatMap((condition, index) => {
    if (!("anyOf" in condition)) return [];
    return condition.anyOf.flatMap((one, alternative) => {
      const why = contradictionOf([one]);
      const place = [...path, String(index), "anyOf", String(alternative)];
      return why === undefined ? [] : [{ path: place, message: `never holds: ${why}` }];
    });
  });
}

/** Without risk rules the score is unknown: nothing is approved by it, and whatever else asks for it always governs. */
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

function ownWarnings(policy: WrittenPolicy, path: readonly string[]): readonly PlacedProblem[] {
  const { effect } = policy;
  const isUnheard = policy.message !== undefined && effect.kind !== "deny";
  return [
    ...(isUnheard
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

/** A policy that governs only what it then refuses for its length. */
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
  const complaints: PlacedProblem[] = [];
  if (slaMs !== undefined && escalateTo.length === 0) {
    complaints.push({ path: [...path, "sla"], message: "changes nothing without `escalateTo`" });
  }
  if (slaMs !== undefined && slaMs >= windowMs) {
    const message = `the request times out before: its window is ${window}`;
    complaints.push({ path: [...path, "sla"], message });
  } else if (slaMs !== undefined) {
    for (const level of escalateTo.keys()) {
      if (slaMs * (level + 1) < windowMs) continue;
      const message = `is never asked: it would be after ${formatDuration(slaMs * (level + 1))}, and the window is ${window}`;
      complaints.push({ path: [...path, "escalateTo", String(level)], message });
    }
  }
  for (const reminderMs of remindersMs) {
    const reminder = `the reminder after ${formatDuration(reminderMs)}`;
    if (reminderMs >= windowMs) {
      const message = `${reminder} is never sent: the window is ${window}`;
      complaints.push({ path: [...path, "reminders"], message });
    } else if (slaMs !== undefined && reminderMs > slaMs) {
      const message = `${reminder} comes after the SLA of ${formatDuration(slaMs)}, when further people have been asked already`;
      complaints.push({ path: [...path, "reminders"], message });
    }
  }
  return complaints;
}

/** Subjects that say which access a policy is about, not how it is asked for. */
const aboutAccess: ReadonlySet<string> = new Set(["RESOURCE", "ACTION", "SCOPE"]);

/** Pairs of policies that are compared; of more, nothing is said. */
const comparisonsMax = 50_000;

/** Automatic policies after which nobody is asked: once they are spent, or where they do not hold. */
function withoutFallback(
  policies: readonly WrittenPolicy[],
  others: readonly WrittenPolicy[],
  { defaultPolicy }: Rules,
): readonly PlacedProblem[] {
  const asking = [...policies, ...others]
    .filter((one) => one.enabled && one.effect.kind === "approval")
    .map((one) => one.conditions.filter(isAboutAccess));
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

/** Policies that never govern, because another comes first wherever they hold. */
function shadowed(
  policies: readonly WrittenPolicy[],
  elsewhere: readonly WrittenPolicy[],
): readonly PlacedProblem[] {
  const byConditions = new Map<string, WrittenPolicy[]>();
  for (const policy of [...policies, ...elsewhere]) {
    // An automatic one gives way when something is unknown or it is spent, so it hides nothing for certain.
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
    const first = others.find((other) => other !== policy && comesFirst(other, policy));
    if (first === undefined) return [];
    const message = `never governs: "${first.name}" holds wherever it does and comes first`;
    return [{ path: ["policies", String(index), "name"], message }];
  });
}

function keyOf(conditions: readonly Condition[]): string {
  return JSON.stringify(conditions.map((one) => JSON.stringify(one)).toSorted());
}

function comesFirst(other: WrittenPolicy, policy: WrittenPolicy): boolean {
  if (other.effect.kind === "deny") return policy.effect.kind !== "deny";
  if (policy.effect.kind === "deny") return false;
  if (other.priority !== policy.priority) return other.priority > policy.priority;
  return policy.effect.kind === "auto";
}
