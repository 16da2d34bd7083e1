import type { Actor } from "./access-request.ts";
import type { CredentialId, GrantId, IdentityId, Instant, RequestId, Scope } from "../values/ids.ts";
import { areReady, type Target } from "./target.ts";
import { earliest, minuteMs } from "../values/time.ts";

/**
 * A grant answers "do they have it now?". It never holds approvals: those are the request's (access-request.ts).
 *
 * - PREPARING: claimed, and its targets are being made ready; no credential exists and no clock runs. Ends by the claim
 *   that finds everything ready (ACTIVE), or without having started (ABANDONED): its request ended, a target could not,
 *   or nobody fetched it in time.
 * - ACTIVE: the credential opens what the scopes say until `expiresAt`, by the clock at the moment of the check; a
 *   sweep only tidies. Ends by time (EXPIRED), by its holder (COMPLETED) or by somebody else (REVOKED). A grant without
 *   targets begins here.
 * - EXPIRED, COMPLETED, REVOKED, ABANDONED: final. Nothing revives it. It is over for users at once, and settled when
 *   every target has confirmed that nothing is left (target.ts).
 */
export type Grant = UnstartedGrant | StartedGrant;

interface AnyGrant {
  readonly id: GrantId;
  readonly requestId: RequestId;
  readonly subjectId: IdentityId;
  readonly scopes: readonly Scope[];
  readonly breakGlass: boolean;
  readonly endedAt: Instant | null;
  readonly endReason: string | null;
  /** Who ended it early; absent: nobody did. */
  readonly endedBy?: Actor;
  readonly targets: readonly Target[];
}

export interface UnstartedGrant extends AnyGrant {
  readonly phase: "PREPARING" | "ABANDONED";
  readonly preparedAt: Instant;
  /** A target that is not ready by then could not give it. */
  readonly provisionBy: Instant;
  /** What is not fetched by then is taken back. */
  readonly claimBy: Instant;
}

export interface StartedGrant extends AnyGrant {
  readonly phase: "ACTIVE" | "EXPIRED" | "COMPLETED" | "REVOKED";
  readonly startedAt: Instant;
  readonly expiresAt: Instant;
  /** The one living credential; rotation replaces it. */
  readonly credential: CredentialRecord;
}

/** What is kept of a token: never the token. */
export interface CredentialRecord {
  readonly id: CredentialId;
  /** SHA-256 of the token, lower-case hex. */
  readonly hash: string;
  readonly last4: string;
  readonly issuedAt: Instant;
}

/** How long targets are tried before the request fails, from the claim that ordered them. */
export const provisionWithinMs = 5 * minuteMs;
/** How long a prepared grant waits for its requester, from the claim that ordered it (contract §3). */
export const claimPreparedWithinMs = 10 * minuteMs;

/** Whether access has started, be it over or not. */
export function hasStarted(grant: Grant | undefined): grant is StartedGrant {
  return grant !== undefined && "startedAt" in grant;
}

/** A started grant as a check of its credential knows it. */
export interface CheckedGrant extends Pick<
  StartedGrant,
  "requestId" | "subjectId" | "phase" | "startedAt" | "expiresAt" | "breakGlass"
> {
  /** Its scopes as RFC 7662 writes them: separated by spaces, which none of them holds. */
  readonly scope: string;
}

/** Whether the credential opens anything at this moment. The subject must be active besides. */
export function isLive(grant: Grant | CheckedGrant, now: Instant): boolean {
  return grant.phase === "ACTIVE" && now < grant.expiresAt;
}

/** Whether access had started and has ended, by the clock too. */
export function isOver(grant: Grant | undefined, now: Instant): boolean {
  return hasStarted(grant) && !isLive(grant, now);
}

/** Whether its targets are to be there, as far as it is written: it is being prepared, or runs. */
export function holdsTargets({ phase }: Grant): boolean {
  return phase === "PREPARING" || phase === "ACTIVE";
}

/** When time alone ends what it is; for one that is over, would have. */
export function grantLapsesAt(grant: Grant): Instant {
  if (hasStarted(grant)) return grant.expiresAt;
  return areReady(grant.targets) ? grant.claimBy : earliest(grant.provisionBy, grant.claimBy);
}

/** What targets tell us, decided on the grant as it stands: an answer that comes too late changes nothing. */

export function targetOf(grant: Grant, connector: string): Target | undefined {
  return grant.targets.find((target) => target.spec.connector === connector);
}
