import { secondMs } from "./time.ts";

/**
 * How long to wait after this many failures in a row: about 1 s, 2 s, 4 s … up to `maxMs`, each varied by a quarter so
 * that what failed together is not tried together again.
 *
 * @param failures 1 for the first failure; 0 or less waits for nothing.
 * @param random 0 to 1, of the caller's own source of randomness.
 */
export function backOffMs(failures: number, maxMs: number, random: number): number {
  if (failures < 1) return 0;
  return Math.min(maxMs, secondMs * 2 ** Math.min(failures - 1, 20)) * (0.75 + random / 2);
}
