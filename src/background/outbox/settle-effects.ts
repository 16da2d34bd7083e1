import type { Step, Store } from "../../service/ports/store.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";

/**
 * Writes the results of attempts. Results of the same event-loop tick share one step, because a step costs more than
 * what it writes; if the shared step conflicts, each result is written by itself.
 *
 * @returns writes a step without expectations. Rejects as the store does.
 */
export function createEffectSettler(store: Pick<Store, "commit">): (step: Step) => Promise<void> {
  let batch: { readonly steps: Step[]; readonly areWritten: Promise<boolean> } | undefined;
  const openBatch = () => {
    const steps: Step[] = [];
    const { promise: tickOver, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    const areWritten = tickOver.then(async () => {
      batch = undefined;
      return writeTogether(store, steps);
    });
    return { steps, areWritten };
  };
  return async (step) => {
    const current = (batch ??= openBatch());
    current.steps.push(step);
    if (await current.areWritten) return;
    // Conflict: our lease expired and another run owns the effect. Its result counts.
    await store.commit(step);
  };
}

async function writeTogether(store: Pick<Store, "commit">, steps: readonly Step[]): Promise<boolean> {
  if (steps.length < 2) return false;
  const joined: Step = {
    ...recordOnly(steps.flatMap(({ audit }) => audit)),
    writes: steps.flatMap(({ writes }) => writes),
    effects: steps.flatMap(({ effects }) => effects),
  };
  try {
    return "ok" in (await store.commit(joined));
  } catch {
    // Each caller gets the error of its own step, which is written next.
    return false;
  }
}
