import { secondMs } from "../../../core/values/time.ts";
import type { TargetService } from "../../../service/targets/target-service.ts";
import type { Runners } from "../runner.ts";

/**
 * Timeout of one call to a target. Shorter than the relay's own, so that a hanging target is reported as down and
 * everything else waits for a single probe.
 */
export const targetAttemptMs = 20 * secondMs;

/**
 * Provisions access at targets and takes it back; a take-back is retried without limit. A fault with `isTargetDown`
 * opens the circuit breaker of the connector, so that other effects for it wait for one probe.
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
