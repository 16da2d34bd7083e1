import type { Runtime } from "../../service/ports/runtime.ts";
import type { Services } from "../../service/services.ts";
import type { Sweep } from "./request-sweeps.ts";

/** Writes counted refusals and uses whose minute is over, and gives the relay its regular turn. */
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
