import { secondMs } from "../../../core/values/time.ts";
import type { TargetService } from "../../../service/targets/target-service.ts";
import type { Runners } from "../runner.ts";

/**
 * One attempt at a target. Shorter than the relay's own patience with whatever it runs (attempting.ts), so that it is the
 * target that is found down by one that hangs, and the others wait for one probe.
 */
export const targetAttemptMs = 20 * secondMs;

/**
 * Has targets do what was decided. A target that is down says so in its ConnectorFault (`isTargetDown`), so that the
 * others for the same connector can wait for one probe; a take-back is tried without limit.
 */
export function createTargetRunners(
  targets: Pick<TargetService, "provision" | "takeBack">,
  attemptMs = targetAttemptMs,
): Pick<Runners, "provision" | "take_back"> {
  const within = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(attemptMs)]);
  return {
    provision: {
      run: ({ grantId, connector }, signal) => targets.provision(grantId, connector, within(signal)),
    },
    take_back: {
      run: ({ grantId, connector }, signal) => targets.takeBack(grantId, connector, within(signal)),
    },
  };
}
