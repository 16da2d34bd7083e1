import { accessChanges } from "../../core/audit/access-changes.ts";
import type { Refusal } from "../../core/values/refusals.ts";
import type { Step, Store } from "../ports/store.ts";

/** Why no new access is granted now; undefined when it is granted. */
export type AccessHold = () => Refusal | undefined;

/** The first of these that refuses new access. */
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
 * The same store, which refuses every step that grants access while there is a hold. Checks, endings, denials, reviews
 * and take-backs go on. No other check is needed: a step that grants access always has an audit record that says so.
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
