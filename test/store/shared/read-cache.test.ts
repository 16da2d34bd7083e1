import Database from "better-sqlite3";
import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { SqliteStoreOptions } from "../../../src/store/sqlite/sqlite-store.ts";
import { createReadCache } from "../../../src/store/shared/read-cache.ts";
import type { AccessRequest } from "../../../src/core/access/access-request.ts";
import type { Write } from "../../../src/service/ports/store.ts";
import {
  approvedFixture,
  at,
  claimedFixture,
  grantFixture,
  hashOf,
  identityFixture,
  keyFixture,
  requestFixture,
  stepFixture,
  writing,
} from "../../support/fixtures.ts";
import { committed, openStore, temporaryFile } from "../sqlite/temporary-store.ts";

const person = identityFixture("dev");
const key = keyFixture("a");
const deleted = { ...key, deletedAt: at(1) };
const inactive = identityFixture("dev", { enabled: false });
const deletion = writing([{ kind: "key", value: deleted }], { [key.id]: 1 });
const deactivation = writing([{ kind: "identity", value: inactive }], { [person.id]: 1 });

const cancelledFixture = (tail: string): AccessRequest =>
  requestFixture(tail, { phase: "CANCELLED", endedAt: at(4) });

/** A store with a person, their key and a grant of theirs, all of which have been read already. */
async function openUsed(options: Partial<SqliteStoreOptions> = {}) {
  const store = await openStore(options);
  await committed(
    store,
    writing([{ kind: "identity", value: person }]),
    writing([{ kind: "key", value: key }]),
    writing([
      { kind: "request", value: claimedFixture("a"), dueAt: null },
      { kind: "grant", value: grantFixture("a") },
    ]),
  );
  await store.keyByHash(key.hash);
  await store.credential(hashOf("token a"));
  return store;
}

describe.each([
  ["here", {}],
  ["by the other thread", { alwaysApart: true }],
])("of what is written %s", (_, where) => {
  test("a key that was deleted is seen as deleted by the first read after the commit", async () => {
    const store = await openUsed(where);
    await committed(store, deletion);
    expect((await store.keyByHash(key.hash))?.key).toEqual({ value: deleted, version: 2 });
  });

  test("who was deactivated is seen as such with their key and with their credential", async () => {
    const store = await openUsed(where);
    await committed(store, deactivation);
    expect((await store.keyByHash(key.hash))?.identity).toEqual(inactive);
    expect((await store.credential(hashOf("token a")))?.identity).toEqual(inactive);
  });

  test("a step that shares its transaction with one that conflicts is seen all the same", async () => {
    const store = await openUsed(where);
    const conflicting = writing([{ kind: "identity", value: inactive }], { [person.id]: 7 });
    const results = await Promise.all([conflicting, deletion, conflicting].map((step) => store.commit(step)));
    expect(results.map((result) => "ok" in result)).toEqual([false, true, false]);
    expect((await store.keyByHash(key.hash))?.key.version).toBe(2);
    expect((await store.keyByHash(key.hash))?.identity).toEqual(person);
  });

  test("what is not there is looked for each time", async () => {
    const store = await openStore(where);
    await committed(store, writing([{ kind: "identity", value: person }]));
    expect(await store.keyByHash(key.hash)).toBeUndefined();
    await committed(store, writing([{ kind: "key", value: key }]));
    expect(await store.keyByHash(key.hash)).toBeDefined();
  });

  test("a step that changes nobody leaves what is known, and one that is taken back forgets it all the same", async () => {
    const store = await openUsed(where);
    const before = await store.keyByHash(key.hash);
    await committed(store, stepFixture({}));
    expect(await store.keyByHash(key.hash)).toBe(before);
    expect(
      await store.commit(writing([{ kind: "identity", value: inactive }], { [person.id]: 7 })),
    ).toMatchObject({
      conflict: "version",
    });
    expect(await store.keyByHash(key.hash)).toEqual(before);
  });

  test("a request is read once until it or its grant changes, and others stay known", async () => {
    const store = await openUsed(where);
    const other = requestFixture("b");
    await committed(store, writing([{ kind: "request", value: other, dueAt: null }]));
    const [one, another] = [claimedFixture("a"), grantFixture("a")];
    const before = await store.request(one.id);
    const known = await store.request(other.id);
    expect(await store.request(one.id)).toBe(before);
    const ended = grantFixture("a", { phase: "COMPLETED", endedAt: at(3) });
    await committed(store, writing([{ kind: "grant", value: ended }], { [another.id]: 1 }));
    expect((await store.request(one.id))?.grant).toEqual({ value: ended, version: 2 });
    expect(await store.request(other.id)).toBe(known);
    const cancelled = cancelledFixture("b");
    await committed(store, writing([{ kind: "request", value: cancelled, dueAt: null }], { [other.id]: 1 }));
    expect((await store.request(other.id))?.request).toEqual({ value: cancelled, version: 2 });
  });

  test("the rulebook's new version is seen by the first read after the commit", async () => {
    const store = await openUsed(where);
    const before = await store.rulebookVersion();
    expect(await store.rulebookVersion()).toBe(before);
    await committed(
      store,
      stepFixture({
        writes: [{ kind: "lockdown", on: true }],
        expects: [{ kind: "rulebook", id: "rulebook", version: before }],
      }),
    );
    expect(await store.rulebookVersion()).toBe(before + 1);
    expect((await store.rulebook()).version).toBe(before + 1);
  });

  test("who is found by their id alone is found with their manager, in the order they came to be", async () => {
    const store = await openStore(where);
    const lead = identityFixture("lead");
    const dev = identityFixture("dev", { managerId: lead.id });
    await committed(
      store,
      writing([{ kind: "identity", value: dev }]),
      writing([{ kind: "identity", value: lead }]),
    );
    const people = async () => store.people({ ids: [lead.id, dev.id], selectors: [] });
    expect((await people()).map((one) => one.value.id)).toEqual([dev.id, lead.id]);
    expect(await store.people({ ids: [dev.id], selectors: [{ kind: "manager" }] })).toEqual(await people());
    const gone = { ...lead, enabled: false };
    await committed(store, writing([{ kind: "identity", value: gone }], { [lead.id]: 1 }));
    expect((await people()).map((one) => one.value)).toEqual([dev, gone]);
  });

  test("what a step has made of a request is known without reading it, and shares nothing with a step that failed", async () => {
    const store = await openStore(where);
    const asked = requestFixture("a");
    const approved = approvedFixture("a");
    const claimed = claimedFixture("a");
    const grant = grantFixture("a");
    const ended = grantFixture("a", { phase: "COMPLETED", endedAt: at(3) });
    const id = asked.id;
    const write = (value: AccessRequest): Write => ({ kind: "request", value, dueAt: null });
    await committed(store, writing([write(asked)]));
    expect((await store.request(id))?.request.value).toBe(asked);
    await Promise.all([
      store.commit(writing([write(cancelledFixture("a"))], { [id]: 7 })),
      store.commit(writing([write(approved)], { [id]: 1 })),
      store.commit(writing([write(cancelledFixture("a"))], { [id]: 1 })),
    ]);
    expect(await store.request(id)).toEqual({ request: { value: approved, version: 2 }, grant: undefined });
    const claim = writing([write(claimed), { kind: "grant", value: grant }], { [id]: 2 });
    const ending = writing([{ kind: "grant", value: ended }], { [grant.id]: 1 });
    const end = { ...ending, expects: [...ending.expects, { kind: "request", id, version: 3 } as const] };
    await Promise.all([store.commit(claim), store.commit(end)]);
    const after = await store.request(id);
    expect(after?.request.value).toBe(claimed);
    expect(after?.grant).toEqual({ value: ended, version: 2 });
    expect(after?.grant?.value).toBe(ended);
  });

  test("a request that a step changed only half, without looking at the other, is read again", async () => {
    const store = await openUsed(where);
    const known = await store.request(claimedFixture("a").id);
    const ended = grantFixture("a", { phase: "COMPLETED", endedAt: at(3) });
    await committed(store, writing([{ kind: "grant", value: ended }], { [ended.id]: 1 }));
    const after = await store.request(claimedFixture("a").id);
    expect(after?.grant?.value).not.toBe(ended);
    expect(after).toEqual({ request: known?.request, grant: { value: ended, version: 2 } });
  });

  test("a request is not remembered with a grant that it no longer names", async () => {
    const store = await openUsed(where);
    const request = claimedFixture("a");
    await store.request(request.id);
    const other = grantFixture("b", { requestId: request.id });
    await committed(store, writing([{ kind: "grant", value: other }]));
    await store.request(request.id);
    const renamed = writing([{ kind: "request", value: { ...request, grantId: other.id }, dueAt: null }], {
      [request.id]: 1,
    });
    const expected = { kind: "grant", id: grantFixture("a").id, version: 1 } as const;
    await committed(store, { ...renamed, expects: [...renamed.expects, expected] });
    expect((await store.request(request.id))?.grant).toEqual({ value: other, version: 1 });
  });
});

test("what is read while a commit is under way is what is on disk at that moment", async () => {
  const file = temporaryFile();
  const store = await openUsed({ file });
  const outside = new Database(file, { readonly: true });
  onTestFinished(() => void outside.close());
  const onDisk = outside.prepare("SELECT version FROM api_keys WHERE id = ?").pluck();
  const seen: unknown[] = [];
  const commit = store.commit(deletion);
  for (let look = 0; look < 30; look++) {
    const truth = onDisk.get(key.id);
    // The read itself happens before the first await, so in the same moment as the look at the disk.
    expect((await store.keyByHash(key.hash))?.key.version).toBe(truth);
    seen.push(truth);
    if (look % 3 === 0) await nextTurn();
  }
  expect(await commit).toEqual({ ok: true });
  expect(new Set(seen)).toEqual(new Set([1, 2]));
});

test("between two changes of its part the same is read once, and any change of it has all of it read again", () => {
  const read = vi.fn<(name: string) => { name: string }>((name) => ({ name }));
  const readCache = createReadCache();
  const remembered = readCache.cached("directory", read);
  expect([remembered("a"), remembered("a"), remembered("b")].map((one) => one?.name)).toEqual([
    "a",
    "a",
    "b",
  ]);
  expect(read).toHaveBeenCalledTimes(2);
  readCache.applyCommitted([stepFixture({ writes: [{ kind: "lockdown", on: true }] })]);
  remembered("a");
  expect(read).toHaveBeenCalledTimes(2);
  readCache.applyCommitted([stepFixture({ writes: [{ kind: "key", value: key }] })]);
  remembered("a");
  expect(read).toHaveBeenCalledTimes(3);
});

test("a step that conflicts has what it was decided from read again, whoever has changed it", async () => {
  const file = temporaryFile();
  const store = await openUsed({ file });
  const request = claimedFixture("a");
  const read = async () => [
    (await store.request(request.id))?.request.version,
    (await store.people({ ids: [person.id], selectors: [] }))[0]?.version,
    await store.rulebookVersion(),
  ];
  await read();
  const outside = new Database(file);
  onTestFinished(() => void outside.close());
  for (const table of ["requests", "identities", "rulebook"]) {
    outside.exec(`UPDATE ${table} SET version = version + 1`);
  }
  await nextTurn();
  const before = await read();
  const refused = stepFixture({
    expects: [
      { kind: "request", id: request.id, version: 1 },
      { kind: "identity", id: person.id, version: 1 },
      { kind: "rulebook", id: "rulebook", version: 1 },
    ],
  });
  expect(await store.commit(refused)).toMatchObject({ conflict: "version" });
  expect({ before, after: await read() }).toEqual({ before: [1, 1, 1], after: [2, 2, 2] });
});

test("more than a memory may hold makes it start anew", () => {
  const read = vi.fn<(name: string) => { name: string }>((name) => ({ name }));
  const remembered = createReadCache().cached("rulebook", read);
  for (const name of ["a", "a", "b", "a"]) expect(remembered(name)).toEqual({ name });
  expect(read.mock.calls.flat()).toEqual(["a", "b", "a"]);
});
