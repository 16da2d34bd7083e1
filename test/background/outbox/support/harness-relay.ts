import { createRunners } from "../../../../src/background/outbox/runners/effect-runners.ts";
import { createRelay, type Relay } from "../../../../src/background/outbox/relay.ts";
import type { Step, Store } from "../../../../src/service/ports/store.ts";
import type { Office } from "../../../service/support/service-harness.ts";

/** A relay for this office; codes of what failed are added to `faults`. */
export function officeRelay(office: Office, faults: string[], store: Store = office.store): Relay {
  return createRelay(
    store,
    office.context.surroundings,
    createRunners(office.context, office.services, { info: () => {}, warn: () => {} }),
    (_, { code = "?" }) => faults.push(code),
    () => 0.5,
  );
}

/** One that dies in the middle of everything it has sent: nothing of it is ever settled. */
export function dyingRelay(office: Office): Relay {
  const commit: Store["commit"] = async (step) =>
    isSettling(step) ? new Promise(() => {}) : office.store.commit(step);
  return officeRelay(office, [], { ...office.store, commit });
}

function isSettling({ writes }: Pick<Step, "writes">): boolean {
  return (
    writes.some((one) => one.kind === "effectSettled") && !writes.some((one) => one.kind === "copyWanted")
  );
}
