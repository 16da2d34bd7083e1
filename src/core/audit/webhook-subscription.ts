import { auditActions } from "./audit-record.ts";

/** A program that is told of audit events, as the configuration file names it; `env:` references are resolved. */
export interface Webhook {
  /** Unique; its place in the audit log is kept under it. */
  readonly name: string;
  /** May itself be a secret: never logged. */
  readonly url: string;
  /** Actions such as `grant.started`, or `grant.*` for all of a kind. */
  readonly events: readonly string[];
  /** As Standard Webhooks writes it: `whsec_` and base64, or base64 alone. */
  readonly secret: string;
  /** Private, loopback and other addresses that are nobody's on the internet may be called. */
  readonly allowPrivate: boolean;
}

/** An action of the audit log, or all of a kind that has any. */
export function isEventPattern(text: string): boolean {
  return auditActions.some((action) => matchesEvents([text], action));
}

/** Whether one of the patterns means this action. */
export function matchesEvents(patterns: readonly string[], action: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === action || (pattern.endsWith(".*") && pattern.slice(0, -2) === action.split(".")[0]),
  );
}
