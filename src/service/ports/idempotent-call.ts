import type { KeyId } from "../../core/values/ids.ts";

/** One call made with an Idempotency-Key: the same key again gets the same answer, not a second effect (contract §3). */
export interface IdempotentCall {
  readonly keyId: KeyId;
  /** Method and path. */
  readonly call: string;
  readonly idempotencyKey: string;
  /** SHA-256 of the body; another body under the same key is a mistake. */
  readonly bodyHash: string;
}
