import { hash } from "node:crypto";

/** The hash before the first record: 32 zero bytes. */
export const chainStart = "0".repeat(64);

const zeroByte = Buffer.alloc(1);

/**
 * The hash of one audit record, in lower-case hex: SHA-256 over a zero byte, the 32 raw bytes of the previous hash, the
 * number in ASCII, a line feed and the body as stored (docs/audit.md).
 */
export function chainHash(previous: string, seq: number, body: string | Uint8Array): string {
  const text = typeof body === "string" ? `${seq}\n${body}` : `${seq}\n`;
  const parts: Uint8Array[] = [zeroByte, Buffer.from(previous, "hex"), Buffer.from(text)];
  if (typeof body !== "string") parts.push(body);
  return hash("sha256", Buffer.concat(parts), "hex");
}
