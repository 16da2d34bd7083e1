import { auditActions } from "./audit-record.ts";

/** A subscriber to audit events from the configuration file, with `env:` references resolved. */
export interface Webhook {
  /** Unique; its position in the audit log is stored under this name. */
  readonly name: string;
  /** May contain a secret: never logged. */
  readonly url: string;
  /** Actions such as `grant.started`, or `grant.*` for all actions of a kind. */
  readonly events: readonly string[];
  /** As in Standard Webhooks: `whsec_` and Base64, or Base64 alone. */
  readonly secret: string;
  /** Whether private, loopback and other non-public addresses may be called. */
  readonly allowPrivate: boolean;
}

/** Whether the text is an action of the audit log, or a pattern that matches some. */
export function isEventPattern(text: string): boolean {
  return auditActions.some((action) => matchesEvents([text], action));
}

/** Whether one of the patterns matches this action. */
export function matchesEvents(patterns: readonly string[], action: string): boolean {
  return patterns.some(
    (pattern) =>
      pattern === action || (pattern.endsWith(".*") && pattern.slice(0, -2) === action.split(".")[0]),
  );
}
