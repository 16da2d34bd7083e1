import { ConnectorFault } from "../../service/ports/connector.ts";
import type { Owner } from "../shared/label.ts";

/** Runs one step of a take-back; answers its fault, so that the steps after it go on. */
export async function attempt(
  owner: Owner,
  step: () => Promise<unknown>,
): Promise<ConnectorFault | undefined> {
  try {
    await step();
    return undefined;
  } catch (error) {
    if (error instanceof ConnectorFault) return error;
    // A bug, or the driver outside of a connection. It must not keep the other steps from being tried.
    const why = error instanceof Error ? error.message : "unknown";
    return new ConnectorFault("refused", `${owner.connector}: ${why}`, {
      retryable: true,
      reason: "a step failed inside jit-access; the log says more",
    });
  }
}

const messageLengthMax = 1_500;

/** One fault that names all. Worth another try when one of them is. */
export function merged(all: readonly (ConnectorFault | undefined)[]): ConnectorFault | undefined {
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
