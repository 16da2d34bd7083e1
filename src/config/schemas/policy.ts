import { z } from "zod";
import { formatSelector, type Selector } from "../../core/values/identity.ts";
import {
  policyDefaults,
  type ApprovalRule,
  type DecidingVia,
  type Policy,
  type PolicyEffect,
  type StageRule,
} from "../../core/policy/policy.ts";
import { formatDuration } from "../../core/values/time.ts";
import { conditions, writtenCondition } from "./condition.ts";
import { channels, description, duration, listOf, name, policyMessage, selectors } from "./values.ts";

const stagesPerPolicyMax = 10;
const approversRequiredMax = 20;
const remindersPerStageMax = 10;
const escalationsPerStageMax = 10;
const priorityMax = 1_000_000;
const usageMax = 1_000_000_000;

/** The fields of a policy that its author writes. The service adds the others. */
export type PolicyContent = Omit<Policy, "id" | "version" | "managedBy">;
type WrittenPolicyContent = z.input<typeof policyContent>;
/** A policy as responses show it: its content, which the schema reads back, and the fields the service adds. */
export type WrittenPolicy = WrittenPolicyContent & {
  readonly id: string;
  readonly version: number;
  readonly managedBy: "file" | "api";
};

const vias = ["slack", "teams", "api"] as const satisfies readonly DecidingVia[];

const stage = z
  .strictObject({
    approvers: selectors,
    required: z
      .int()
      .min(1)
      .max(approversRequiredMax)
      .default(1)
      .describe("Different people; a person counts once per policy, over all its stages."),
    sla: z
      .exactOptional(duration)
      .describe("From the stage's start. If undecided after it, escalateTo is asked."),
    reminders: listOf(duration, { min: 0, max: remindersPerStageMax }, String)
      .default([])
      .describe("From the stage's start."),
    escalateTo: z
      .array(selectors)
      .max(escalationsPerStageMax)
      .default([])
      .describe("Lists of further approvers: the next one is asked after each further SLA."),
    via: z
      .exactOptional(listOf(z.enum(vias), { min: 1, max: vias.length }, (one) => one))
      .describe("Where this stage may be decided; absent: everywhere."),
  })
  .refine(({ escalateTo, sla }) => escalateTo.length === 0 || sla !== undefined, {
    path: ["escalateTo"],
    message: "needs `sla`: the time after which these people are asked",
  })
  .transform(({ sla, reminders, via, ...rest }): StageRule => ({
    ...rest,
    ...(sla !== undefined && { slaMs: sla }),
    remindersMs: reminders.toSorted((a, b) => a - b),
    ...(via !== undefined && { via }),
  }));

const approval = z
  .strictObject({
    window: duration
      .prefault(formatDuration(policyDefaults.windowMs))
      .describe("Undecided after this, the request times out; absent: 24h."),
    channels: channels
      .default([])
      .describe("Also posted there. Reading a channel gives nobody the right to decide."),
    stages: z.array(stage).min(1).max(stagesPerPolicyMax).describe("In order; each must be completed."),
  })
  .transform(({ window, ...rest }): ApprovalRule => ({ windowMs: window, ...rest }));

const written = z.strictObject({
  name,
  description: z.exactOptional(description),
  message: z
    .exactOptional(policyMessage)
    .describe("Shown to people whom this policy denies access: why, and what to do instead."),
  enabled: z.boolean().default(true),
  priority: z.int().min(-priorityMax).max(priorityMax).default(0).describe("Higher first."),
  autoApprove: z.boolean().default(false).describe("Approves by itself; needs at least one condition."),
  deny: z.boolean().default(false).describe("Refuses whatever it governs, whatever its priority."),
  approval: z.exactOptional(approval),
  conditions: conditions.default([]).describe("All required, evaluated once per scope."),
  maxDuration: duration
    .prefault(formatDuration(policyDefaults.maxDurationMs))
    .describe("A longer duration is refused, never shortened; absent: 8h."),
  claimWindow: duration
    .prefault(formatDuration(policyDefaults.claimWindowMs))
    .describe("How long approved access waits for its requester; absent: 8h."),
  maxUsage: z
    .exactOptional(z.int().min(1).max(usageMax))
    .describe("How many approvals this policy may grant."),
  usagePeriod: z
    .exactOptional(duration)
    .describe("`maxUsage` counts within this period up to now; absent: forever."),
  requireTicket: z.boolean().default(false),
});

/** A policy as people write it, in the API and in the file. See docs/policies.md#fields. */
export const policyContent = written.superRefine(checkEffect).transform(toContent);

/** The file's `default`. It governs what no policy governs, so it has no conditions and never auto-approves. */
export const defaultPolicyContent = written
  .extend({ name: name.default("default") })
  .superRefine((policy, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if (policy.autoApprove) refuse("autoApprove", "the default policy never approves by itself");
    if (policy.deny) refuse("deny", "leave the section out: what no policy governs is denied anyway");
    if (policy.approval === undefined) refuse("approval", "is missing: the default policy asks people");
    if (policy.conditions.length > 0)
      refuse("conditions", "the default policy governs whatever no other policy does");
    if (!policy.enabled) refuse("enabled", "leave the section out instead");
  })
  .transform(toContent);

/** The written form of a policy for responses. {@link policyContent} reads its content back as the same policy. */
export function writtenPolicy(policy: Policy): WrittenPolicy {
  const { effect } = policy;
  return {
    id: policy.id,
    version: policy.version,
    name: policy.name,
    ...(policy.description !== undefined && { description: policy.description }),
    ...(policy.message !== undefined && { message: policy.message }),
    enabled: policy.enabled,
    priority: policy.priority,
    autoApprove: effect.kind === "auto",
    deny: effect.kind === "deny",
    ...(effect.kind === "approval" && { approval: writtenApproval(effect.approval) }),
    conditions: policy.conditions.map(writtenCondition),
    maxDuration: formatDuration(policy.maxDurationMs),
    claimWindow: formatDuration(policy.claimWindowMs),
    ...(policy.maxUsage !== undefined && { maxUsage: policy.maxUsage }),
    ...(policy.usagePeriodMs !== undefined && { usagePeriod: formatDuration(policy.usagePeriodMs) }),
    requireTicket: policy.requireTicket,
    managedBy: policy.managedBy,
  };
}

function writtenApproval(rule: ApprovalRule): z.input<typeof approval> {
  return {
    window: formatDuration(rule.windowMs),
    channels: [...rule.channels],
    stages: rule.stages.map(({ approvers, required, slaMs, remindersMs, escalateTo, via }) => ({
      approvers: approvers.map(formatSelector),
      required,
      ...(slaMs !== undefined && { sla: formatDuration(slaMs) }),
      reminders: remindersMs.map(formatDuration),
      escalateTo: escalateTo.map((list: readonly Selector[]) => list.map(formatSelector)),
      ...(via !== undefined && { via: [...via] }),
    })),
  };
}

function checkEffect(policy: z.output<typeof written>, context: z.core.$RefinementCtx): void {
  const refuse = (path: string[], message: string) => context.addIssue({ code: "custom", path, message });
  const chosen = [
    ...(policy.autoApprove ? ["autoApprove"] : []),
    ...(policy.deny ? ["deny"] : []),
    ...(policy.approval === undefined ? [] : ["approval"]),
  ];
  if (chosen.length === 0) {
    refuse([], "needs one of `autoApprove: true`, `deny: true` and `approval`");
  }
  for (const extra of chosen.slice(1)) {
    refuse(
      [extra],
      `cannot be combined with \`${chosen[0]}\`: a policy has exactly one of autoApprove, deny and approval`,
    );
  }
  if (policy.autoApprove && policy.conditions.length === 0) {
    refuse(["conditions"], "a policy that approves by itself needs at least one condition");
  }
  if (policy.usagePeriod !== undefined && policy.maxUsage === undefined) {
    refuse(["usagePeriod"], "needs `maxUsage`: the number that counts within it");
  }
}

function toContent(policy: z.output<typeof written>): PolicyContent {
  return {
    name: policy.name,
    ...(policy.description !== undefined && { description: policy.description }),
    ...(policy.message !== undefined && { message: policy.message }),
    enabled: policy.enabled,
    priority: policy.priority,
    effect: effectOf(policy.autoApprove, policy.approval),
    conditions: policy.conditions,
    maxDurationMs: policy.maxDuration,
    claimWindowMs: policy.claimWindow,
    ...(policy.maxUsage !== undefined && { maxUsage: policy.maxUsage }),
    ...(policy.usagePeriod !== undefined && { usagePeriodMs: policy.usagePeriod }),
    requireTicket: policy.requireTicket,
  };
}

/** The effect of a policy. The checks above ensure that exactly one of the three is set. */
function effectOf(auto: boolean, rule: ApprovalRule | undefined): PolicyEffect {
  if (auto) return { kind: "auto" };
  return rule === undefined ? { kind: "deny" } : { kind: "approval", approval: rule };
}
