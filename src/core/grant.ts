import type { CredentialId, GrantId, IdentityId, Instant, RequestId, Scope } from "./ids.ts";

/**
 * A grant answers "do they have it now?". It never holds approvals: those are the request's (access-request.ts).
 *
 * - ACTIVE: the credential opens what the scopes say until `expiresAt`, by the clock at the moment of the check; a
 *   sweep only tidies. Ends by time (EXPIRED), by its holder (COMPLETED) or by somebody else (REVOKED).
 * - EXPIRED, COMPLETED, REVOKED: final. Nothing revives it.
 */
export type GrantPhase = "ACTIVE" | "EXPIRED" | "COMPLETED" | "REVOKED";

export interface Grant {
  readonly id: GrantId;
  readonly requestId: RequestId;
  readonly subjectId: IdentityId;
  readonly scopes: readonly Scope[];
  readonly breakGlass: boolean;
  readonly phase: GrantPhase;
  readonly startedAt: Instant;
  readonly expiresAt: Instant;
  readonly endedAt: Instant | null;
  readonly endReason: string | null;
  /** The one living credential; rotation replaces it. */
  readonly credential: CredentialRecord;
  readonly targets: readonly Target[];
}

/** What is kept of a token: never the token. */
export interface CredentialRecord {
  readonly id: CredentialId;
  /** SHA-256 of the token, lower-case hex. */
  readonly hash: string;
  readonly last4: string;
  readonly issuedAt: Instant;
}

export type TargetState =
  | "PENDING"
  | "PROVISIONING"
  | "PROVISIONED"
  | "REVOKING"
  | "REVOKED"
  | "REVOKE_OVERDUE"
  | "FAILED";

/** One object of ours at a real system. */
export interface Target {
  readonly connector: string;
  readonly state: TargetState;
}

/** Whether the credential opens anything at this moment. The subject must be active besides. */
export function isLive(grant: Grant, now: Instant): boolean {
  return grant.phase === "ACTIVE" && now < grant.expiresAt;
}
