import { createHash } from "node:crypto";

/** The hash before the first record: 32 zero bytes. */
export const chainStart = "0".repeat(64);

/**
 * The hash of one audit record (contract §6): SHA-256 over a zero byte, the 32 raw bytes of the previous hash, the
 * number in ASCII, a line feed and the body as stored. Lower-case hex.
 */
export function chainHash(previous: string, seq: number, body: string | Uint8Array): string {
  return createHash("sha256")
    .update("\0")
    .update(previous, "hex")
    .update(`${seq}\n`)
    .update(body)
    .digest("hex");
}
