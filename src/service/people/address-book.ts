import type { JsonValue, Store } from "../ports/store.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/** Where a surface reaches people. It survives restarts, and only the surface reads it. */
export interface AddressBook {
  find(key: string): Promise<JsonValue | undefined>;
  /** Writes only changes, because it is called for every incoming message. */
  keep(key: string, value: JsonValue): Promise<void>;
  forget(key: string): Promise<void>;
}

export function createAddressBook(store: Store, surface: string): AddressBook {
  const find = (key: string): Promise<JsonValue | undefined> => store.address(surface, key);
  return {
    find,
    async keep(key, value) {
      if (JSON.stringify(await find(key)) === JSON.stringify(value)) return;
      await store.commit({ ...recordOnly([]), writes: [{ kind: "address", surface, key, value }] });
    },
    async forget(key) {
      if ((await find(key)) === undefined) return;
      await store.commit({ ...recordOnly([]), writes: [{ kind: "addressGone", surface, key }] });
    },
  };
}
