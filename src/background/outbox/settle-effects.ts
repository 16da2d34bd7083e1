import type { Step, Store } from "../../service/ports/store.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";

/**
 * Writes what became of attempts. Those that come back in the same turn are written in one step, for each step costs more
 * than what it writes of one; should they not all be writable, each by itself.
 *
 * @returns writes a step that expects, takes and counts nothing. Rejects as the store does.
 */
export function createEffectSettler(store: Pick<Store, "commit">): (step: Step) => Promise<void> {
  let batch: { readonly steps: Step[]; readonly areWritten: Promise<boolean> } | undefined;
  const openBatch = () => {
    const steps: Step[] = [];
    const { promise: turnOver, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    const areWritten = turnOver.then(async () => {
      batch = undefined;
      return writeTogether(store, steps);
    });
    return { steps, areWritten };
  };
  return async (step) => {
    const own = (batch ??= openBatch());
    own.steps.push(step);
    if (await own.areWritten) return;
    // A conflict: our lease had run out and somebody else has it; what they find is theirs to write.
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
    // Whoever it was for hears of it when theirs is written by itself.
    return false;
  }
}
