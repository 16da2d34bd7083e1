import type { TargetService } from "../service/target-service.ts";
import type { Runners } from "./runners.ts";

/**
 * Has targets do what was decided. A target that is down says so in its ConnectorFault (`isTargetDown`), so that the
 * others for the same connector can wait for one probe; a take-back is tried without limit.
 */
export function createTargetRunners(
  targets: Pick<TargetService, "provision" | "takeBack">,
): Pick<Runners, "provision" | "take_back"> {
  return {
    provision: {
      run: ({ grantId, connector }, signal) => targets.provision(grantId, connector, signal),
    },
    take_back: {
      run: ({ grantId, connector }, signal) => targets.takeBack(grantId, connector, signal),
    },
  };
}
