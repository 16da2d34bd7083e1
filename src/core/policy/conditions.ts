import type { Instant, Scope } from "../values/ids.ts";
import type { Identity } from "../values/identity.ts";

/** Three-valued logic: what cannot be known is neither. */
export type Truth = "true" | "false" | "unknown";

export type TextSubject =
  | "RESOURCE"
  | "ACTION"
  | "SCOPE"
  | "IDENTITY"
  | "GROUP"
  | "KIND"
  | "REASON"
  | "TICKET";
export type NumberSubject = "RISK_SCORE" | "PREVIOUS_ACCESS" | "RECENT_DENIALS" | "RECENT_REQUESTS";

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

/** A window on the wall clock of one time zone; `to` before `from` runs past midnight. */
export interface TimeWindow {
  /** The days on which the window opens. */
  readonly days: readonly Weekday[];
  /** `HH:MM`, included. */
  readonly from: string;
  /** `HH:MM` up to `24:00`, not included. */
  readonly to: string;
  /** IANA name. */
  readonly timezone: string;
}

/** On text; a list operator takes a list. */
export type TextCondition =
  | { readonly type: TextSubject; readonly operator: (typeof textOperators)[number]; readonly value: string }
  | {
      readonly type: TextSubject;
      readonly operator: (typeof listOperators)[number];
      readonly value: readonly string[];
    };

/** Every way to compare a number or a duration; BETWEEN takes two bounds. */
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
      /** Counted back from the submission; absent: ever. Not for RISK_SCORE. */
      readonly withinMs?: number;
    }
  | {
      readonly type: NumberSubject;
      readonly operator: "BETWEEN";
      /** Both included. */
      readonly value: readonly [number, number];
      readonly withinMs?: number;
    }
  | { readonly type: "TIME"; readonly operator: "WITHIN" | "OUTSIDE"; readonly value: TimeWindow }
  | { readonly anyOf: readonly Condition[] }
  | { readonly not: Condition };

/** What happened before the submission, for one subject: the past as conditions may ask for it. */
export interface History {
  /** Starts of grants of this scope to the subject; break-glass ones only when judged justified. */
  startedAt(scope: Scope): readonly Instant[];
  /** When requests of the subject were denied. */
  readonly deniedAt: readonly Instant[];
  /** When the subject's requests were submitted, whatever came of them. */
  readonly requestedAt: readonly Instant[];
}

/** The facts of the submission: what every condition is judged on, then and at the press that completes. */
export interface SubmissionFacts {
  readonly subject: Pick<Identity, "id" | "kind" | "groups" | "email">;
  readonly reason: string;
  readonly ticket?: string;
  /** For an extension: granted so far plus asked. */
  readonly durationMs: number;
  readonly submittedAt: Instant;
  readonly history: History;
}
