import type { KeyId } from "../../core/values/ids.ts";

/**
 * A call with an Idempotency-Key. The same key again gets the same answer, without a second effect
 * (docs/api.md#idempotency).
 */
export interface IdempotentCall {
  readonly keyId: KeyId;
  /** Method and path. */
  readonly call: string;
  readonly idempotencyKey: string;
  /** SHA-256 of the body. Another body with the same key is an error. */
  readonly bodyHash: string;
}
