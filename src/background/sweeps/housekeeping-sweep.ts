import type { Runtime } from "../../service/ports/runtime.ts";
import type { Services } from "../../service/services.ts";
import type { Sweep } from "./request-sweeps.ts";

/** Writes the counted refusals and credential uses of past minutes, and wakes the relay. */
export function createHousekeepingSweep(
  { credentialUses, refusals }: Pick<Services, "credentialUses" | "refusals">,
  relay: { wake(): void },
  clock: Pick<Runtime, "now">,
): Sweep {
  return {
    name: "bookkeeping",
    async run() {
      await credentialUses.flush(clock.now());
      await refusals.flush(clock.now());
      relay.wake();
    },
  };
}
