import type { PolicyId, Scope } from "../values/ids.ts";
import type { StageRule } from "./policy.ts";

export interface Risk {
  /** 0 to 100. */
  readonly score: number;
  readonly factors: readonly { readonly name: string; readonly points: number }[];
}

/** A stage with its number in this request; numbers run on over all policies. */
export interface Stage extends StageRule {
  readonly number: number;
}

/** What one governing policy demands, frozen. Without stages: it approves by itself. */
export interface Demand {
  readonly policyId: PolicyId;
  readonly policyName: string;
  readonly policyVersion: number;
  /** The scopes it governs here. */
  readonly scopes: readonly Scope[];
  /** In order; each must be met. */
  readonly stages: readonly Stage[];
}

/** Everything that must be true before access may start. Only ever added to. */
export interface Requirement {
  /** Side by side: one press counts in every demand whose open stage includes that person. */
  readonly demands: readonly Demand[];
  readonly windowMs: number;
  readonly claimWindowMs: number;
  readonly channels: readonly string[];
}
