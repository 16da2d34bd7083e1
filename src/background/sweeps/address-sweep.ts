import type { Sweep } from "./request-sweeps.ts";

/**
 * Checks connector addresses again that were not proven to lead to the same target. The sweep does not wait for the
 * result, because a hanging target must not delay the sweeps that end access.
 */
export function createAddressSweep(
  recheck: () => Promise<readonly string[]>,
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void },
): Sweep {
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => {
    try {
      for (const connector of await recheck()) log.info({ connector }, "connector address accepted");
    } catch (err) {
      log.warn({ err }, "connector addresses not checked");
    } finally {
      running = undefined;
    }
  };
  return {
    name: "connector addresses",
    async run() {
      running ??= run();
    },
  };
}
