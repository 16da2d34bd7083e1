import type { Instant } from "../../core/values/ids.ts";

/** The world as the rules may not see it by themselves: time, chance and hashes come through here. */
export interface Runtime {
  readonly now: () => Instant;
  /** An id tail that nothing else has: 18 of `0-9a-z`, later ones behind earlier ones. */
  readonly idSuffix: () => string;
  /** 30 base62 characters from a cryptographic generator. */
  readonly tokenSecret: () => string;
  /** SHA-256, lower-case hex. */
  readonly sha256: (text: string) => string;
}
