import type { StoredRequest } from "../../decisions/stored-request.ts";
import type { CredentialView } from "../../views/request-view.ts";

/** What comes with a claim. */
export interface Claim {
  /** Checked; for targets that are reached by SSH. */
  readonly sshPublicKey?: string;
  /** See `ClaimInput`; for rotations. */
  readonly isKeyRequired?: true;
  /** The status kept for a call with an Idempotency-Key; absent: 200. */
  readonly answerStatus?: number;
  /** How long targets may take; absent: {@link claimWaitMs}. */
  readonly waitMs?: number;
}

/**
 * How long a claim waits for its targets before it is answered with 202 (docs/targets.md#from-the-claim-to-the-secret).
 */
export const claimWaitMs = 2_000;

export interface Issued {
  readonly stored: StoredRequest;
  readonly credential: CredentialView;
}

/** Claimed, but not all targets are ready yet; it must be claimed again. */
export interface StillPreparing {
  readonly stored: StoredRequest;
  readonly isPreparing: true;
}
