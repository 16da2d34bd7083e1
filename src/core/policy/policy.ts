import type { Condition } from "./conditions.ts";
import type { PolicyId, Scope } from "../values/ids.ts";
import type { Selector, Via } from "../values/identity.ts";
import { dayMs, hourMs } from "../values/time.ts";

/** Values that apply where a policy sets none (docs/policies.md#fields). */
export const policyDefaults = {
  maxDurationMs: 8 * hourMs,
  claimWindowMs: 8 * hourMs,
  windowMs: dayMs,
} as const;

/** Surfaces on which a stage may be decided. */
export type DecidingVia = Extract<Via, "slack" | "teams" | "api">;

/** One stage as a policy's author wrote it. */
export interface StageRule {
  readonly approvers: readonly Selector[];
  /** Number of different people; a person counts once per policy, over all its stages. */
  readonly required: number;
  /** From the stage's start. Each time it passes undecided, the next list of `escalateTo` is asked too. */
  readonly slaMs?: number;
  /** From the stage's start, ascending. */
  readonly remindersMs: readonly number[];
  readonly escalateTo: readonly (readonly Selector[])[];
  /** Absent: any surface. */
  readonly via?: readonly DecidingVia[];
}

export interface ApprovalRule {
  /** An undecided request is TIMED_OUT after this. */
  readonly windowMs: number;
  /** Channels that receive the message, without a right to decide: `slack:C…`, `teams:19:…`, `email:a@b`. */
  readonly channels: readonly string[];
  readonly stages: readonly StageRule[];
}

/** What a policy does with the scopes it governs. */
export type PolicyEffect =
  | { readonly kind: "auto" }
  | { readonly kind: "deny" }
  | { readonly kind: "approval"; readonly approval: ApprovalRule };

export interface Policy {
  readonly id: PolicyId;
  /** Incremented with each change of content. */
  readonly version: number;
  /** Unique, 1–100 characters. */
  readonly name: string;
  readonly description?: string;
  /** The author's message to people the policy denies; 1–500 characters. */
  readonly message?: string;
  readonly enabled: boolean;
  /** Higher first. */
  readonly priority: number;
  readonly effect: PolicyEffect;
  /** All required, evaluated per scope. Never empty for `auto`. */
  readonly conditions: readonly Condition[];
  readonly maxDurationMs: number;
  readonly claimWindowMs: number;
  readonly maxUsage?: number;
  /** The period in which `maxUsage` counts; absent: for ever. */
  readonly usagePeriodMs?: number;
  readonly requireTicket: boolean;
  readonly managedBy: "file" | "api";
}

/** Points added to a request when the conditions hold for any of its scopes. */
export interface RiskRule {
  readonly name: string;
  readonly points: number;
  readonly when: readonly Condition[];
}

export interface CatalogEntry {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly description?: string;
}

export interface BreakGlassRule {
  /** Humans who may use break-glass, for themselves only; empty: nobody. */
  readonly allowed: readonly Selector[];
  readonly conditions: readonly Condition[];
  readonly maxDurationMs: number;
  readonly limit: { readonly max: number; readonly perMs: number };
  readonly review: ReviewRule;
  /** Channels notified before the secret is shown. */
  readonly notify: readonly string[];
}

export interface ReviewRule {
  readonly by: readonly Selector[];
  /** From the start of access. */
  readonly dueMs: number;
  /** Whether an overdue review blocks the next use. A use reviewed as unjustified always does. */
  readonly overdue: "refuse" | "allow";
  /** The longest such a block lasts. */
  readonly lockoutMs: number;
}

/**
 * Everything in the configuration file except people and policies. It is one record with one version, so that a
 * decision can name the rules it used.
 */
export interface Rules {
  /** Governs scopes that no policy governs; never auto. */
  readonly defaultPolicy?: Policy;
  readonly risk: readonly RiskRule[];
  readonly catalog: readonly CatalogEntry[];
  readonly limits: { readonly pendingPerIdentity: number; readonly activePerIdentity: number };
  readonly breakGlass: BreakGlassRule;
  /** Administrators and auditors in chat. */
  readonly chatRoles: { readonly admin: readonly Selector[]; readonly auditor: readonly Selector[] };
  readonly trustSlackUserGroups: boolean;
}

/**
 * All policies and rules as of one version. They are read together, so that one request is decided by one set of
 * rules.
 */
export interface Rulebook {
  /** Incremented with every change of a policy, the rules or the lockdown. */
  readonly version: number;
  readonly policies: readonly Policy[];
  readonly rules: Rules;
  /** While true, only break-glass creates grants. */
  readonly lockdown: boolean;
}

/** The rules of an empty configuration file. */
export const emptyRules: Rules = {
  risk: [],
  catalog: [],
  limits: { pendingPerIdentity: 20, activePerIdentity: 20 },
  breakGlass: {
    allowed: [],
    conditions: [],
    maxDurationMs: hourMs,
    limit: { max: 2, perMs: 7 * dayMs },
    review: { by: [], dueMs: dayMs, overdue: "refuse", lockoutMs: 30 * dayMs },
    notify: [],
  },
  chatRoles: { admin: [], auditor: [] },
  trustSlackUserGroups: false,
};
