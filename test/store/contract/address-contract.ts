import { expect, test } from "vitest";
import type { JsonValue, Write } from "../../../src/service/ports/store.ts";
import { stepFixture } from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

const change = (write: Write) => stepFixture({ writes: [write] });
const learned = (surface: string, key: string, value: JsonValue) =>
  change({ kind: "address", surface, key, value });

export function addressContract(open: OpenEmptyStore): void {
  test("an address is stored whole, and the last one written counts", async () => {
    const store = await open();
    expect(await store.address("teams", "person:a")).toBeUndefined();
    await committed(
      store,
      learned("teams", "person:a", { conversation: "old", nested: [1, null, { deep: true }] }),
      learned("teams", "person:a", { conversation: "new", nested: [2, null, { deep: false }] }),
    );
    expect(await store.address("teams", "person:a")).toEqual({
      conversation: "new",
      nested: [2, null, { deep: false }],
    });
  });

  test("surfaces and keys do not see each other's addresses", async () => {
    const store = await open();
    await committed(store, learned("teams", "x", "of teams"), learned("other", "x", "of another"));
    expect(await store.address("teams", "x")).toBe("of teams");
    expect(await store.address("other", "x")).toBe("of another");
    expect(await store.address("teams", "y")).toBeUndefined();
  });

  test("a removed address is not found, and removing it twice does no harm", async () => {
    const store = await open();
    const gone = change({ kind: "addressGone", surface: "teams", key: "x" });
    await committed(store, learned("teams", "x", "here"), learned("teams", "y", "there"), gone, gone);
    expect(await store.address("teams", "x")).toBeUndefined();
    expect(await store.address("teams", "y")).toBe("there");
  });
}
