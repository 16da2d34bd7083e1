import { expect, test } from "vitest";
import type { Identity } from "../../../src/core/values/identity.ts";
import type { Store } from "../../../src/service/ports/store.ts";
import { at, hashOf, identityFixture, ids, keyFixture, selector, writeStep } from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

async function keep(store: Store, ...people: readonly Identity[]): Promise<void> {
  await committed(store, ...people.map((value) => writeStep([{ kind: "identity", value }])));
}

async function meant(
  store: Store,
  tails: readonly string[],
  selectors: readonly string[],
): Promise<readonly string[]> {
  const people = await store.people({ ids: tails.map(ids.identity), selectors: selectors.map(selector) });
  return people.map((one) => one.value.name);
}

export function directoryContract(open: OpenEmptyStore): void {
  test("people are found by id, as a manager, by address in any case, and by group, each once", async () => {
    const store = await open();
    await keep(
      store,
      identityFixture("dev", { managerId: ids.identity("lead"), groups: ["dba"] }),
      identityFixture("lead", { managerId: ids.identity("cto") }),
      identityFixture("cto", { email: "CTO@Company.com" }),
      identityFixture("gone", { groups: ["dba", "oncall"], enabled: false }),
    );
    expect(await meant(store, ["dev"], [])).toEqual(["dev", "lead"]);
    expect(await meant(store, ["dev", "dev"], ["identity:id_lead"])).toEqual(["dev", "lead", "cto"]);
    expect(await meant(store, [], ["cto@company.com"])).toEqual(["cto"]);
    expect(await meant(store, [], ["group:dba", "group:oncall"])).toEqual(["dev", "gone"]);
    expect(await meant(store, ["dev"], ["manager", "slack-usergroup:S0123"])).toEqual(["dev", "lead"]);
    expect(await meant(store, [], ["group:DBA", "nobody@company.com", "identity:id_nobody"])).toEqual([]);
  });

  test("a changed identity is in its new groups only and has its new address only", async () => {
    const store = await open();
    await keep(store, identityFixture("dev", { groups: ["a", "b"] }));
    const changed = identityFixture("dev", { groups: ["b", "c"], email: "new@company.com" });
    await committed(store, writeStep([{ kind: "identity", value: changed }], { id_dev: 1 }));
    expect(await meant(store, [], ["group:a", "dev@company.com"])).toEqual([]);
    for (const text of ["group:b", "group:c", "new@company.com"])
      expect(await meant(store, [], [text])).toEqual(["dev"]);
    expect(await store.identity(ids.identity("dev"))).toEqual({ value: changed, version: 2 });
    expect(await store.identity(ids.identity("nobody"))).toBeUndefined();
  });

  test("identities are listed newest first, page by page", async () => {
    const store = await open();
    await keep(store, ...["a", "b", "c"].map((tail) => identityFixture(tail)));
    const first = await store.identities({ limit: 2 });
    expect(first.rows.map((one) => one.name)).toEqual(["c", "b"]);
    const second = await store.identities({ limit: 2, before: first.next ?? 0 });
    expect([second.rows.map((one) => one.name), second.next]).toEqual([["a"], null]);
  });

  test("the file's identities are those it manages, listed or not", async () => {
    const store = await open();
    await keep(
      store,
      identityFixture("listed", { managedBy: "file" }),
      identityFixture("left", { managedBy: "file", listed: false }),
      identityFixture("made"),
    );
    expect((await store.fileIdentities()).map((one) => one.value.name)).toEqual(["listed", "left"]);
  });

  test("a key is found by id and by the hash of its secret, with its person", async () => {
    const store = await open();
    const identity = identityFixture("dev");
    const key = keyFixture("a");
    await keep(store, identity);
    await committed(store, writeStep([{ kind: "key", value: key }]));
    expect(await store.key(key.id)).toEqual({ value: key, version: 1 });
    expect(await store.keyByHash(key.hash)).toEqual({ key: { value: key, version: 1 }, identity });
    expect(await store.keyByHash(hashOf("other"))).toBeUndefined();
  });

  test("the groups of everybody with the same `managedBy` are named once", async () => {
    const store = await open();
    await keep(
      store,
      identityFixture("ann", { groups: ["dba", "Team DBA (EU)"], managedBy: "file" }),
      identityFixture("bob", { groups: ["dba"], managedBy: "file" }),
      identityFixture("cid", { groups: ["night"], managedBy: "api" }),
    );
    expect((await store.groupNames("file")).toSorted()).toEqual(["Team DBA (EU)", "dba"]);
    expect(await store.groupNames("api")).toEqual(["night"]);
    expect(await store.groupNames("built-in")).toEqual([]);
  });

  test("an address bound to an identity means that identity; any other means the person who has the address", async () => {
    const store = await open();
    await keep(
      store,
      identityFixture("sec", { email: "new@company.com" }),
      identityFixture("sam", { email: "sec@company.com" }),
    );
    const means = async (id?: string) => {
      const address = { kind: "email", email: "sec@company.com" } as const;
      const selectors = [{ ...address, ...(id !== undefined && { id: ids.identity(id) }) }];
      return (await store.people({ ids: [], selectors })).map((one) => one.value.id);
    };
    expect(await means("sec")).toEqual(["id_sec"]);
    expect(await means()).toEqual(["id_sam"]);
  });

  test("a deleted key is found but not listed, and a key in use with the same secret comes first", async () => {
    const store = await open();
    await keep(store, identityFixture("dev"));
    const old = keyFixture("old");
    const deleted = { ...old, deletedAt: at(1) };
    await committed(
      store,
      writeStep([{ kind: "key", value: old }]),
      writeStep([{ kind: "key", value: deleted }], { key_old: 1 }),
    );
    expect((await store.keyByHash(old.hash))?.key).toEqual({ value: deleted, version: 2 });
    expect(await store.keysOf(old.identityId)).toEqual([]);
    const again = keyFixture("new", { hash: old.hash });
    const other = keyFixture("other", { identityId: ids.identity("ann") });
    await committed(
      store,
      writeStep([{ kind: "key", value: again }]),
      writeStep([{ kind: "key", value: other }]),
    );
    expect((await store.keyByHash(old.hash))?.key.value.id).toBe("key_new");
    expect(await store.keysOf(old.identityId)).toEqual([{ value: again, version: 1 }]);
    expect((await store.keys({ limit: 1 })).rows).toEqual([other]);
    expect((await store.keys({ limit: 9 })).rows).toEqual([other, again]);
  });
}
