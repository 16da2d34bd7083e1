import type { PolicyId, Scope } from "../values/ids.ts";
import type { StageRule } from "./policy.ts";

export interface Risk {
  /** 0 to 100. */
  readonly score: number;
  readonly factors: readonly { readonly name: string; readonly points: number }[];
}

/** A stage with its number in the request; numbers continue across policies. */
export interface Stage extends StageRule {
  readonly number: number;
}

/** What one governing policy requires, frozen. Without stages, it approves by itself. */
export interface Demand {
  readonly policyId: PolicyId;
  readonly policyName: string;
  readonly policyVersion: number;
  /** The scopes of the request that it governs. */
  readonly scopes: readonly Scope[];
  /** In order; each must be complete. */
  readonly stages: readonly Stage[];
}

/** Everything required before access may start. Demands may be added, never removed. */
export interface Requirement {
  /** Demands run in parallel: one approval counts in every demand whose open stage includes the approver. */
  readonly demands: readonly Demand[];
  readonly windowMs: number;
  readonly claimWindowMs: number;
  readonly channels: readonly string[];
}
