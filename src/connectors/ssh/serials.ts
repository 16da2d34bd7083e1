import { createHash, randomInt } from "node:crypto";
import type { SerialRange } from "./krl.ts";

/** Certificates one grant may have; each issuing takes the next. */
const serialsPerObject = 65_536n;

/**
 * The serial numbers that belong to an object: a pure function of its name, so that they can be revoked when nothing is
 * known of it any more. 47 bits of a hash and 16 to count; all below 2^63, which is as far as a shell can count.
 */
export function serialsOf(object: string): SerialRange {
  const hash = createHash("sha256").update(object).digest().readBigUInt64BE() >> 17n;
  // 0 means "without serial" to OpenSSH.
  const first = (hash === 0n ? 1n : hash) * serialsPerObject;
  return [first, first + serialsPerObject - 1n];
}

/** The next one to use. The first is drawn, so that one given out before the ledger was lost is not met again. */
export function nextSerial([first, last]: SerialRange, previous: bigint | undefined): bigint | undefined {
  const next = previous === undefined ? first + BigInt(randomInt(1, 32_768)) : previous + 1n;
  return next <= last ? next : undefined;
}
