import { createHash, randomInt } from "node:crypto";
import type { SerialRange } from "./krl.ts";

/** How many certificates one grant may have. Each issue takes the next serial. */
const serialsPerObject = 65_536n;

/**
 * The serial numbers of an object: a pure function of its name, so that they can be revoked without any record of it.
 * 47 bits of a hash and 16 to count. All are below 2^63, so that a shell can handle them.
 */
export function serialsOf(object: string): SerialRange {
  const hash = createHash("sha256").update(object).digest().readBigUInt64BE() >> 17n;
  // 0 means "without serial" to OpenSSH.
  const first = (hash === 0n ? 1n : hash) * serialsPerObject;
  return [first, first + serialsPerObject - 1n];
}

/** The next serial. The first is random, so that serials issued before a ledger was lost are not issued again. */
export function nextSerial([first, last]: SerialRange, previous: bigint | undefined): bigint | undefined {
  const next = previous === undefined ? first + BigInt(randomInt(1, 32_768)) : previous + 1n;
  return next <= last ? next : undefined;
}
