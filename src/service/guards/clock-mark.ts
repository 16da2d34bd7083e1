import type { Instant } from "../../core/values/ids.ts";
import type { Store } from "../ports/store.ts";

/**
 * The same store, which records the time of each step in the same commit. A later start does not accept an earlier
 * time, so that a clock that was set back revives no access.
 */
export function withClockMark(store: Store, now: () => Instant): Store {
  let written: Instant | undefined;
  return {
    ...store,
    async commit(step) {
      const at = now();
      if (written !== undefined && at <= written) return store.commit(step);
      const result = await store.commit({ ...step, writes: [...step.writes, { kind: "clockMark", at }] });
      if ("ok" in result && (written === undefined || at > written)) written = at;
      return result;
    },
  };
}
