import { secondMs } from "./time.ts";

/**
 * The delay before the next attempt: about 1 s, 2 s, 4 s … up to `maxMs`. It varies by up to a quarter, so that calls
 * that failed together are not repeated together.
 *
 * @param failures failures in a row; 0 or less means no delay.
 * @param random from 0 to 1; the caller supplies it, because core has no randomness.
 */
export function backOffMs(failures: number, maxMs: number, random: number): number {
  if (failures < 1) return 0;
  return Math.min(maxMs, secondMs * 2 ** Math.min(failures - 1, 20)) * (0.75 + random / 2);
}
