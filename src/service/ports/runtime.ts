import type { Instant } from "../../core/values/ids.ts";

/** Time, randomness and hashes. The core is pure, so it gets them from here. */
export interface Runtime {
  readonly now: () => Instant;
  /** A unique id suffix: 18 characters of `0-9a-z`, sorted by time of creation. */
  readonly idSuffix: () => string;
  /** 30 base62 characters from a cryptographic generator. */
  readonly tokenSecret: () => string;
  /** SHA-256, lower-case hex. */
  readonly sha256: (text: string) => string;
}
