import type { Instant } from "../../core/values/ids.ts";
import type { Store } from "../ports/store.ts";

/**
 * The same store, which writes the time of each step into the step's own commit. A later start takes that time as the
 * earliest it can be, so that a clock set back in between revives nothing.
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
