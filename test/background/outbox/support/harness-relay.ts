import { createRunners } from "../../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../../../../src/background/outbox/relay.ts";
import type { Step, Store } from "../../../../src/service/ports/store.ts";
import type { ServiceHarness } from "../../../service/support/service-harness.ts";

/** A relay for this harness. The codes of failed attempts are added to `faults`. */
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

/** A relay that never settles what it has sent, as if it was killed. */
export function createDyingRelay(harness: ServiceHarness): Relay {
  const commit: Store["commit"] = async (step) =>
    isSettling(step) ? new Promise(() => {}) : harness.store.commit(step);
  return createHarnessRelay(harness, [], { ...harness.store, commit });
}

function isSettling({ writes }: Pick<Step, "writes">): boolean {
  return (
    writes.some(({ kind }) => kind === "effectSettled") &&
    !writes.some(({ kind }) => kind === "deliveryAdded")
  );
}
