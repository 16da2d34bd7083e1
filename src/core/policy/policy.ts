import type { Condition } from "./conditions.ts";
import type { PolicyId, Scope } from "../values/ids.ts";
import type { Selector, Via } from "../values/identity.ts";
import { dayMs, hourMs } from "../values/time.ts";

/** What holds where a policy says nothing (contract §4). */
export const policyDefaults = {
  maxDurationMs: 8 * hourMs,
  claimWindowMs: 8 * hourMs,
  windowMs: dayMs,
} as const;

/** Where a stage may be decided. */
export type DecidingVia = Extract<Via, "slack" | "teams" | "api">;

/** One stage as a policy's author wrote it. */
export interface StageRule {
  readonly approvers: readonly Selector[];
  /** Different people; a person counts once per policy, over all its stages. */
  readonly required: number;
  /** From the stage's start; undecided after each further one → the next list of `escalateTo` is asked too. */
  readonly slaMs?: number;
  /** From the stage's start, ascending. */
  readonly remindersMs: readonly number[];
  readonly escalateTo: readonly (readonly Selector[])[];
  /** Absent: everywhere. */
  readonly via?: readonly DecidingVia[];
}

export interface ApprovalRule {
  /** Undecided after this → TIMED_OUT. */
  readonly windowMs: number;
  /** Channels that carry the message, never the authority: `slack:C…`, `teams:19:…`, `email:a@b`. */
  readonly channels: readonly string[];
  readonly stages: readonly StageRule[];
}

/** What a policy does with the scopes it governs: exactly one of the three. */
export type PolicyEffect =
  | { readonly kind: "auto" }
  | { readonly kind: "deny" }
  | { readonly kind: "approval"; readonly approval: ApprovalRule };

export interface Policy {
  readonly id: PolicyId;
  /** Rises by one with each change of content. */
  readonly version: number;
  /** Unique, 1–100 characters. */
  readonly name: string;
  readonly description?: string;
  /** Its author's words to whoever it denies something; 1–500 characters. */
  readonly message?: string;
  readonly enabled: boolean;
  /** Higher first. */
  readonly priority: number;
  readonly effect: PolicyEffect;
  /** All required, judged once per scope. Never empty for `auto`. */
  readonly conditions: readonly Condition[];
  readonly maxDurationMs: number;
  readonly claimWindowMs: number;
  readonly maxUsage?: number;
  /** `maxUsage` counts within this last span; absent: for ever. */
  readonly usagePeriodMs?: number;
  readonly requireTicket: boolean;
  readonly managedBy: "file" | "api";
}

/** Points that a request earns when the rule's conditions hold for any of its scopes. */
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
  /** Humans, asking for themselves; empty: nobody. */
  readonly allowed: readonly Selector[];
  readonly conditions: readonly Condition[];
  readonly maxDurationMs: number;
  readonly limit: { readonly max: number; readonly perMs: number };
  readonly review: ReviewRule;
  /** Channel references told before the secret is shown. */
  readonly notify: readonly string[];
}

export interface ReviewRule {
  readonly by: readonly Selector[];
  /** From the start of access. */
  readonly dueMs: number;
  /** Whether an overdue review refuses the next use; one judged unjustified does in any case. */
  readonly overdue: "refuse" | "allow";
  /** How long such a refusal lasts at most. */
  readonly lockoutMs: number;
}

/** What the configuration file says besides people and policies; one record with one version, so that a decision can
 * say which rules it was read from. */
export interface Rules {
  /** Governs what no policy does; never auto. */
  readonly defaultPolicy?: Policy;
  readonly risk: readonly RiskRule[];
  readonly catalog: readonly CatalogEntry[];
  readonly limits: { readonly pendingPerIdentity: number; readonly activePerIdentity: number };
  readonly breakGlass: BreakGlassRule;
  /** Who is administrator or auditor in chat. */
  readonly chatRoles: { readonly admin: readonly Selector[]; readonly auditor: readonly Selector[] };
  readonly trustSlackUserGroups: boolean;
}

/** Everything that decides, as of one version: read together, so that one request is judged by one set of rules. */
export interface Rulebook {
  /** Rises with every change of a policy, of the rules or of the lockdown. */
  readonly version: number;
  readonly policies: readonly Policy[];
  readonly rules: Rules;
  /** No new grants except break-glass. */
  readonly lockdown: boolean;
}

/** The rules of a configuration file that says nothing: every section left out is empty. */
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
