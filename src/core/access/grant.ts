import type { Actor } from "./access-request.ts";
import type { CredentialId, GrantId, IdentityId, Instant, RequestId, Scope } from "../values/ids.ts";
import { areReady, type Target } from "./target.ts";
import { earliest, minuteMs } from "../values/time.ts";

/**
 * A grant answers "do they have it now?". It never holds approvals: those are the request's (access-request.ts).
 *
 * - PREPARING: claimed, and its targets are being prepared. No credential exists and no time runs. Ends by the claim
 *   that finds everything ready (ACTIVE), or without starting (ABANDONED): its request ended, a target could not
 *   provide it, or the requester did not claim again in time.
 * - ACTIVE: the credential provides the scopes until `expiresAt`, by the clock at the moment of the check; a sweep
 *   only tidies up. Ends by time (EXPIRED), by its holder (COMPLETED) or by somebody else (REVOKED). A grant without
 *   targets starts here.
 * - EXPIRED, COMPLETED, REVOKED, ABANDONED: final. Its users lose access immediately. It is settled when every target
 *   has confirmed that nothing is left (target.ts).
 */
export type Grant = UnstartedGrant | StartedGrant;

interface GrantBase {
  readonly id: GrantId;
  readonly requestId: RequestId;
  readonly subjectId: IdentityId;
  readonly scopes: readonly Scope[];
  readonly breakGlass: boolean;
  readonly endedAt: Instant | null;
  readonly endReason: string | null;
  /** Who ended it early; absent when nobody did. */
  readonly endedBy?: Actor;
  readonly targets: readonly Target[];
}

export interface UnstartedGrant extends GrantBase {
  readonly phase: "PREPARING" | "ABANDONED";
  readonly preparedAt: Instant;
  /** The grant fails if a target is not ready by then. */
  readonly provisionBy: Instant;
  /** The grant is abandoned if it is not claimed by then. */
  readonly claimBy: Instant;
}

export interface StartedGrant extends GrantBase {
  readonly phase: "ACTIVE" | "EXPIRED" | "COMPLETED" | "REVOKED";
  readonly startedAt: Instant;
  readonly expiresAt: Instant;
  /** The one current credential; rotation replaces it. */
  readonly credential: CredentialRecord;
}

/** What is stored of a token, never the token itself. */
export interface CredentialRecord {
  readonly id: CredentialId;
  /** SHA-256 of the token, lower-case hex. */
  readonly hash: string;
  readonly last4: string;
  readonly issuedAt: Instant;
}

/** How long provisioning is tried before the request fails, counted from the claim that began it. */
export const provisionWithinMs = 5 * minuteMs;
/**
 * How long a prepared grant waits for its requester, counted from the claim that began it
 * (docs/targets.md#from-the-claim-to-the-secret).
 */
export const claimPreparedWithinMs = 10 * minuteMs;

/** Whether access has started, even if it has ended since. */
export function hasStarted(grant: Grant | undefined): grant is StartedGrant {
  return grant !== undefined && "startedAt" in grant;
}

/** The part of a started grant that a check of its credential needs. */
export interface CheckedGrant extends Pick<
  StartedGrant,
  "requestId" | "subjectId" | "phase" | "startedAt" | "expiresAt" | "breakGlass"
> {
  /** Its scopes in the form of RFC 7662: separated by spaces, which no scope contains. */
  readonly scope: string;
}

/** Whether the grant gives access now. The subject must be active too. */
export function isLive(grant: Grant | CheckedGrant, now: Instant): boolean {
  return grant.phase === "ACTIVE" && now < grant.expiresAt;
}

/** Whether access has started and ended, also by the clock. */
export function isOver(grant: Grant | undefined, now: Instant): boolean {
  return hasStarted(grant) && !isLive(grant, now);
}

/** Whether its objects should exist at the targets: the grant is being prepared or runs. */
export function needsTargets({ phase }: Grant): boolean {
  return phase === "PREPARING" || phase === "ACTIVE";
}

/** When time alone ends the grant; for an ended one, when it would have. */
export function grantLapsesAt(grant: Grant): Instant {
  if (hasStarted(grant)) return grant.expiresAt;
  return areReady(grant.targets) ? grant.claimBy : earliest(grant.provisionBy, grant.claimBy);
}

export function targetOf(grant: Grant, connector: string): Target | undefined {
  return grant.targets.find((target) => target.spec.connector === connector);
}
