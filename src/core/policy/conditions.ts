import type { Instant, Scope } from "../values/ids.ts";
import type { Identity } from "../values/identity.ts";

/** Three-valued logic: "unknown" when a fact is missing. */
export type Truth = "true" | "false" | "unknown";

/** Types of conditions on a text. All of them have all text and list operators. */
export const textConditionTypes = [
  "RESOURCE",
  "ACTION",
  "SCOPE",
  "IDENTITY",
  "GROUP",
  "KIND",
  "REASON",
  "TICKET",
] as const;
export type TextConditionType = (typeof textConditionTypes)[number];
/** Types of conditions on how often something happened before the submission. `within` limits how long ago. */
export const countConditionTypes = ["PREVIOUS_ACCESS", "RECENT_DENIALS", "RECENT_REQUESTS"] as const;
export type CountConditionType = (typeof countConditionTypes)[number];
/** Types of conditions on a number that describes the request now. They have no `within`. */
export const measureConditionTypes = ["RISK_SCORE"] as const;
export type MeasureConditionType = (typeof measureConditionTypes)[number];

export const textOperators = [
  "EQUALS",
  "NOT_EQUALS",
  "STARTS_WITH",
  "ENDS_WITH",
  "CONTAINS",
  "MATCHES",
] as const;
export const listOperators = ["IN", "NOT_IN"] as const;
export const numberOperators = [
  "EQUALS",
  "LESS_THAN",
  "LESS_THAN_OR_EQUAL",
  "GREATER_THAN",
  "GREATER_THAN_OR_EQUAL",
] as const;
export const weekdays = ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN"] as const;
export type Weekday = (typeof weekdays)[number];

/** A time window in the local time of one zone; `to` before `from` runs past midnight. */
export interface TimeWindow {
  /** The days on which the window opens. */
  readonly days: readonly Weekday[];
  /** `HH:MM`, inclusive. */
  readonly from: string;
  /** `HH:MM` up to `24:00`, exclusive. */
  readonly to: string;
  /** IANA name. */
  readonly timezone: string;
}

/** A condition on text; list operators take a list. */
export type TextCondition =
  | {
      readonly type: TextConditionType;
      readonly operator: (typeof textOperators)[number];
      readonly value: string;
    }
  | {
      readonly type: TextConditionType;
      readonly operator: (typeof listOperators)[number];
      readonly value: readonly string[];
    };

/** Operators for numbers and durations; BETWEEN takes two bounds. */
export type NumberTest = (typeof numberOperators)[number] | "BETWEEN";

type NumberComparison =
  | { readonly operator: (typeof numberOperators)[number]; readonly value: number }
  | {
      readonly operator: "BETWEEN";
      /** Both inclusive. */
      readonly value: readonly [number, number];
    };

export type MeasureCondition = NumberComparison & { readonly type: MeasureConditionType };

export type CountCondition = NumberComparison & {
  readonly type: CountConditionType;
  /** Counted back from the submission; absent: no limit. */
  readonly withinMs?: number;
};

/** Milliseconds. */
export type DurationCondition =
  | {
      readonly type: "DURATION";
      readonly operator: (typeof numberOperators)[number];
      readonly valueMs: number;
    }
  | { readonly type: "DURATION"; readonly operator: "BETWEEN"; readonly valueMs: readonly [number, number] };

/** A condition that contains no other conditions. */
export type LeafCondition =
  | TextCondition
  | DurationCondition
  | MeasureCondition
  | CountCondition
  | { readonly type: "TIME"; readonly operator: "WITHIN" | "OUTSIDE"; readonly value: TimeWindow };

export type Condition =
  | LeafCondition
  | { readonly anyOf: readonly Condition[] }
  | { readonly not: Condition };

const textTypes: ReadonlySet<string> = new Set(textConditionTypes);

export function isTextCondition(condition: Condition): condition is TextCondition {
  return "type" in condition && textTypes.has(condition.type);
}

/** What the subject did before the submission, as far as conditions may ask. */
export interface History {
  /** When grants of this scope to the subject started. Break-glass grants count only when reviewed as justified. */
  startedAt(scope: Scope): readonly Instant[];
  /** When requests of the subject were denied. */
  readonly deniedAt: readonly Instant[];
  /** When the subject's requests were submitted, whatever their result. */
  readonly requestedAt: readonly Instant[];
}

/**
 * The facts of a submission. Conditions are evaluated against them at submission and again at the approval that
 * completes the request.
 */
export interface SubmissionFacts {
  readonly subject: Pick<Identity, "id" | "kind" | "groups" | "email">;
  readonly reason: string;
  readonly ticket?: string;
  /** For an extension: the time granted so far plus the time requested. */
  readonly durationMs: number;
  readonly submittedAt: Instant;
  readonly history: History;
}
