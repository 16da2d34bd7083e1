import { createRunners } from "../../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../../../../src/background/outbox/relay.ts";
import type { Step, Store } from "../../../../src/service/ports/store.ts";
import type { ServiceHarness } from "../../../service/support/service-harness.ts";

/** A relay for this office; codes of what failed are added to `faults`. */
export function createHarnessRelay(
  harness: ServiceHarness,
  faults: string[],
  store: Store = harness.store,
): Relay {
  return createRelay(
    store,
    harness.context.runtime,
    createRunners(harness.context, harness.services, { info: () => {}, warn: () => {} }),
    (_, { code = "?" }) => faults.push(code),
    () => 0.5,
  );
}

/** One that dies in the middle of everything it has sent: nothing of it is ever settled. */
export function dyingRelay(harness: ServiceHarness): Relay {
  const commit: Store["commit"] = async (step) =>
    isSettling(step) ? new Promise(() => {}) : harness.store.commit(step);
  return createHarnessRelay(harness, [], { ...harness.store, commit });
}

function isSettling({ writes }: Pick<Step, "writes">): boolean {
  return (
    writes.some((one) => one.kind === "effectSettled") && !writes.some((one) => one.kind === "deliveryAdded")
  );
}
