/**
 * Every refusal by its stable code (docs/api.md#problem-codes), with its HTTP status. A refusal is a value: the API
 * shows it as a problem document, chat as a sentence. It changes nothing but the audit log.
 */
export const refusalStatus = {
  malformed: 400,
  unauthenticated: 401,
  missing_role: 403,
  not_self: 403,
  not_requester: 403,
  not_an_approver: 403,
  not_a_reviewer: 403,
  self_approval: 403,
  identity_inactive: 403,
  identity_not_linked: 403,
  policy_denied: 403,
  break_glass_not_allowed: 403,
  break_glass_limit: 403,
  break_glass_review_due: 403,
  not_found: 404,
  method_not_allowed: 405,
  duplicate_request: 409,
  already_decided: 409,
  already_voted: 409,
  already_claimed: 409,
  already_abandoned: 409,
  stage_not_open: 409,
  request_changed: 409,
  approval_window_passed: 409,
  not_claimable: 409,
  not_active: 409,
  name_taken: 409,
  managed_by_file: 409,
  idempotency_running: 409,
  too_large: 413,
  unsupported_type: 415,
  invalid_body: 422,
  invalid_scope: 422,
  invalid_duration: 422,
  duration_exceeds_policy: 422,
  identity_unknown: 422,
  no_approvers: 422,
  ticket_required: 422,
  idempotency_mismatch: 422,
  too_costly: 422,
  rate_limited: 429,
  limit_reached: 429,
  store_unavailable: 503,
  clock_behind: 503,
  audit_head_differs: 503,
} as const;

export type RefusalCode = keyof typeof refusalStatus;

/** An invalid field. `path` is dotted, as the caller wrote it (`conditions.0.value`). */
export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** A field problem whose path is a list, so that its place can be looked up. */
export interface PlacedProblem {
  readonly path: readonly string[];
  readonly message: string;
}

export interface Refusal {
  readonly refused: RefusalCode;
  /** One sentence for a person: what is wrong and what to do next. Never contains a secret or an internal name. */
  readonly detail: string;
  readonly errors?: readonly FieldProblem[];
  /** `policy_denied`: the message of the policy's author. The detail ends with it. */
  readonly policyMessage?: string;
  /** `duplicate_request`: the id of the request that is already open. */
  readonly existing?: string;
  /** 429 and 503: seconds to wait before trying again. */
  readonly retryAfterSeconds?: number;
}

export function refuse(
  code: RefusalCode,
  detail: string,
  more: Omit<Refusal, "refused" | "detail"> = {},
): Refusal {
  return { refused: code, detail, ...more };
}

/**
 * The end of a detail that quotes a policy's message. It is kept on one line, so that no line of it looks like ours.
 */
export function policyMessageTail(message: string): string {
  return ` Its author says: "${message.replaceAll(/\s+/gu, " ").trim()}"`;
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === "object" && value !== null && "refused" in value;
}
