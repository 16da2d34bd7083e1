import { accessChanges } from "../../core/audit/access-changes.ts";
import type { Refusal } from "../../core/values/refusals.ts";
import type { Step, Store } from "../ports/store.ts";

/** Why nobody is given new access at this moment; undefined: nothing holds it back. */
export type AccessHold = () => Refusal | undefined;

/** The first of these that holds new access back. */
export function firstHold(holds: readonly AccessHold[]): AccessHold {
  return () => {
    for (const hold of holds) {
      const refusal = hold();
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  };
}

/**
 * The same store, which refuses every step that gives access while it is held back. Checks, endings, denials, reviews and
 * take-backs go on. This is the one place: a step cannot give access without a record that says so.
 */
export function withAccessHold(store: Store, hold: AccessHold): Store {
  return {
    ...store,
    async commit(step) {
      const refusal = givesAccess(step) ? hold() : undefined;
      return refusal === undefined ? store.commit(step) : { conflict: "held", refusal };
    },
  };
}

export function givesAccess({ audit }: Pick<Step, "audit">): boolean {
  return audit.some(({ action }) => accessChanges[action] === "gives");
}
