import type { CommitResult, Step, Store } from "../../src/service/ports/store.ts";

/** Commits steps one after another, and fails unless each is written. */
export async function committed(store: Store, ...steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    const result: CommitResult = await store.commit(step);
    if (!("ok" in result)) throw new Error(`not committed: ${JSON.stringify(result)}`);
  }
}
