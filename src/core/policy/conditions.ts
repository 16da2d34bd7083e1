import type { Instant, Scope } from "../values/ids.ts";
import type { Identity } from "../values/identity.ts";

/** Three-valued logic: "unknown" when a fact is missing. */
export type Truth = "true" | "false" | "unknown";

export const textSubjects = [
  "RESOURCE",
  "ACTION",
  "SCOPE",
  "IDENTITY",
  "GROUP",
  "KIND",
  "REASON",
  "TICKET",
] as const;
export type TextSubject = (typeof textSubjects)[number];
/** Counts of what happened before the submission. */
export const countSubjects = ["PREVIOUS_ACCESS", "RECENT_DENIALS", "RECENT_REQUESTS"] as const;
export type NumberSubject = "RISK_SCORE" | (typeof countSubjects)[number];

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
  | { readonly type: TextSubject; readonly operator: (typeof textOperators)[number]; readonly value: string }
  | {
      readonly type: TextSubject;
      readonly operator: (typeof listOperators)[number];
      readonly value: readonly string[];
    };

/** Operators for numbers and durations; BETWEEN takes two bounds. */
export type NumberTest = (typeof numberOperators)[number] | "BETWEEN";

export type Condition =
  | TextCondition
  /** Milliseconds. */
  | {
      readonly type: "DURATION";
      readonly operator: (typeof numberOperators)[number];
      readonly valueMs: number;
    }
  | { readonly type: "DURATION"; readonly operator: "BETWEEN"; readonly valueMs: readonly [number, number] }
  | {
      readonly type: NumberSubject;
      readonly operator: (typeof numberOperators)[number];
      readonly value: number;
      /** Counted back from the submission; absent: no limit. Not for RISK_SCORE. */
      readonly withinMs?: number;
    }
  | {
      readonly type: NumberSubject;
      readonly operator: "BETWEEN";
      /** Both inclusive. */
      readonly value: readonly [number, number];
      readonly withinMs?: number;
    }
  | { readonly type: "TIME"; readonly operator: "WITHIN" | "OUTSIDE"; readonly value: TimeWindow }
  | { readonly anyOf: readonly Condition[] }
  | { readonly not: Condition };

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
