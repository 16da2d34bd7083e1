import { ConnectorFault } from "../../service/ports/connector.ts";
import type { Owner } from "../shared/label.ts";

/** Runs one step of a take-back. @returns its fault, so that later steps still run. */
export async function runStep(
  owner: Owner,
  step: () => Promise<unknown>,
): Promise<ConnectorFault | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    if (error instanceof ConnectorFault) return error;
    // A bug, or a driver error outside of a connection. The other steps must run all the same.
    const why = error instanceof Error ? error.message : "unknown";
    return new ConnectorFault("refused", `${owner.connector}: ${why}`, {
      retryable: true,
      reason: "a step failed inside jit-access; the log says more",
    });
  }
}

const messageLengthMax = 1_500;

/** Combines faults into one, which is retryable if one of them is. */
export function mergeFaults(all: readonly (ConnectorFault | undefined)[]): ConnectorFault | undefined {
  const faults = all.filter((fault) => fault !== undefined);
  const [first] = faults;
  if (first === undefined || faults.length === 1) return first;
  const main = faults.find(({ isTargetDown }) => isTargetDown) ?? first;
  const message = [...new Set(faults.map((fault) => fault.message))].join(" ").slice(0, messageLengthMax);
  const reasons = new Set(faults.flatMap(({ reason }) => reason ?? []));
  return new ConnectorFault(main.code, message, {
    reason: reasons.size === 0 ? undefined : [...reasons].join("; "),
    retryable: faults.some(({ retryable }) => retryable),
    isTargetDown: main.isTargetDown,
  });
}
