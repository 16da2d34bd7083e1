import Database from "better-sqlite3";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
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
  writeStep,
} from "../../support/fixtures.ts";
import { committed, openStore, temporaryFile } from "../sqlite/temporary-store.ts";

const person = identityFixture("dev");
const key = keyFixture("a");
const deleted = { ...key, deletedAt: at(1) };
const inactive = identityFixture("dev", { enabled: false });
const deletion = writeStep([{ kind: "key", value: deleted }], { [key.id]: 1 });
const deactivation = writeStep([{ kind: "identity", value: inactive }], { [person.id]: 1 });

const cancelledFixture = (tail: string): AccessRequest =>
  requestFixture(tail, { phase: "CANCELLED", endedAt: at(4) });

/** A store with an identity, its key and its grant, all of which have been read already. */
async function openUsed(file = temporaryFile()) {
  const store = await openStore({ file });
  await committed(
    store,
    writeStep([{ kind: "identity", value: person }]),
    writeStep([{ kind: "key", value: key }]),
    writeStep([
      { kind: "request", value: claimedFixture("a"), dueAt: null },
      { kind: "grant", value: grantFixture("a") },
    ]),
  );
  await store.keyByHash(key.hash);
  await store.credential(hashOf("token a"));
  return store;
}

test("a deleted key is seen as deleted by the first read after the commit", async () => {
  const store = await openUsed();
  await committed(store, deletion);
  expect((await store.keyByHash(key.hash))?.key).toEqual({ value: deleted, version: 2 });
});

test("a deactivated identity is seen as such with its key and with its credential", async () => {
  const store = await openUsed();
  await committed(store, deactivation);
  expect((await store.keyByHash(key.hash))?.identity).toEqual(inactive);
  expect((await store.credential(hashOf("token a")))?.identity).toEqual(inactive);
});

test("a step that shares its transaction with a conflicting one is seen all the same", async () => {
  const store = await openUsed();
  const conflicting = writeStep([{ kind: "identity", value: inactive }], { [person.id]: 7 });
  const results = await Promise.all([conflicting, deletion, conflicting].map((step) => store.commit(step)));
  expect(results.map((result) => "ok" in result)).toEqual([false, true, false]);
  expect((await store.keyByHash(key.hash))?.key.version).toBe(2);
  expect((await store.keyByHash(key.hash))?.identity).toEqual(person);
});

test("a key that is not found is read again each time", async () => {
  const store = await openStore();
  await committed(store, writeStep([{ kind: "identity", value: person }]));
  expect(await store.keyByHash(key.hash)).toBeUndefined();
  await committed(store, writeStep([{ kind: "key", value: key }]));
  expect(await store.keyByHash(key.hash)).toBeDefined();
});

test("a step that changes no identity keeps the cache, and a rolled-back step evicts it", async () => {
  const store = await openUsed();
  const before = await store.keyByHash(key.hash);
  await committed(store, stepFixture({}));
  expect(await store.keyByHash(key.hash)).toBe(before);
  const refused = writeStep([{ kind: "identity", value: inactive }], { [person.id]: 7 });
  expect(await store.commit(refused)).toMatchObject({ conflict: "version" });
  expect(await store.keyByHash(key.hash)).toEqual(before);
  expect(await store.keyByHash(key.hash)).not.toBe(before);
});

test("a committed step that only expects an identity keeps the cache", async () => {
  const store = await openUsed();
  const before = await store.keyByHash(key.hash);
  await committed(store, stepFixture({ expects: [{ kind: "identity", id: person.id, version: 1 }] }));
  expect(await store.keyByHash(key.hash)).toBe(before);
});

test("the rulebook's new version is seen by the first read after the commit", async () => {
  const store = await openUsed();
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

test("identities found by id come with their managers, in order of creation", async () => {
  const store = await openStore();
  const lead = identityFixture("lead");
  const dev = identityFixture("dev", { managerId: lead.id });
  await committed(
    store,
    writeStep([{ kind: "identity", value: dev }]),
    writeStep([{ kind: "identity", value: lead }]),
  );
  const people = async () => store.people({ ids: [lead.id, dev.id], selectors: [] });
  expect((await people()).map((one) => one.value.id)).toEqual([dev.id, lead.id]);
  expect(await store.people({ ids: [dev.id], selectors: [{ kind: "manager" }] })).toEqual(await people());
  const gone = { ...lead, enabled: false };
  await committed(store, writeStep([{ kind: "identity", value: gone }], { [lead.id]: 1 }));
  expect((await people()).map((one) => one.value)).toEqual([dev, gone]);
});

test("a request is read as its last committed step left it, whatever shared the transaction", async () => {
  const store = await openStore();
  const [asked, approved, claimed] = [requestFixture("a"), approvedFixture("a"), claimedFixture("a")];
  const grant = grantFixture("a");
  const ended = grantFixture("a", { phase: "COMPLETED", endedAt: at(3) });
  const id = asked.id;
  const write = (value: AccessRequest): Write => ({ kind: "request", value, dueAt: null });
  await committed(store, writeStep([write(asked)]));
  expect((await store.request(id))?.request.value).toEqual(asked);
  await Promise.all([
    store.commit(writeStep([write(cancelledFixture("a"))], { [id]: 7 })),
    store.commit(writeStep([write(approved)], { [id]: 1 })),
    store.commit(writeStep([write(cancelledFixture("a"))], { [id]: 1 })),
  ]);
  expect(await store.request(id)).toEqual({ request: { value: approved, version: 2 }, grant: undefined });
  const claim = writeStep([write(claimed), { kind: "grant", value: grant }], { [id]: 2 });
  const ending = writeStep([{ kind: "grant", value: ended }], { [grant.id]: 1 });
  await Promise.all([store.commit(claim), store.commit(ending)]);
  expect(await store.request(id)).toEqual({
    request: { value: claimed, version: 3 },
    grant: { value: ended, version: 2 },
  });
});

test("a request is read with the grant that it names now", async () => {
  const store = await openUsed();
  const request = claimedFixture("a");
  await store.request(request.id);
  const other = grantFixture("b", { requestId: request.id });
  await committed(store, writeStep([{ kind: "grant", value: other }]));
  const renamed = { ...request, grantId: other.id };
  await committed(store, writeStep([{ kind: "request", value: renamed, dueAt: null }], { [request.id]: 1 }));
  expect((await store.request(request.id))?.grant).toEqual({ value: other, version: 1 });
});

test("a read during a commit returns what is on disk at that moment", async () => {
  const file = temporaryFile();
  const store = await openUsed(file);
  const outside = new Database(file, { readonly: true });
  onTestFinished(() => void outside.close());
  const onDisk = outside.prepare("SELECT version FROM api_keys WHERE id = ?").pluck();
  const seen: unknown[] = [];
  const commit = store.commit(deletion);
  for (let look = 0; look < 30; look++) {
    const truth = onDisk.get(key.id);
    // The read itself happens before the first await, so at the same moment as the look at the disk.
    expect((await store.keyByHash(key.hash))?.key.version).toBe(truth);
    seen.push(truth);
    if (look % 3 === 0) await nextTurn();
  }
  expect(await commit).toEqual({ ok: true });
  expect(new Set(seen)).toEqual(new Set([1, 2]));
});

test("a value is read once until its region changes, and then every value of the region is read again", () => {
  const read = vi.fn<(name: string) => { name: string }>((name) => ({ name }));
  const readCache = createReadCache();
  const cached = readCache.cached("directory", read);
  expect([cached("a"), cached("a"), cached("b")].map((one) => one?.name)).toEqual(["a", "a", "b"]);
  expect(read).toHaveBeenCalledTimes(2);
  readCache.evict([stepFixture({ writes: [{ kind: "lockdown", on: true }] })], []);
  cached("a");
  expect(read).toHaveBeenCalledTimes(2);
  readCache.evict([stepFixture({ writes: [{ kind: "key", value: key }] })], []);
  cached("a");
  cached("b");
  expect(read).toHaveBeenCalledTimes(4);
});

test("a conflicting step evicts what it was decided from, even if another process changed it", async () => {
  const file = temporaryFile();
  const store = await openUsed(file);
  const read = async () => [
    (await store.people({ ids: [person.id], selectors: [] }))[0]?.version,
    await store.rulebookVersion(),
  ];
  await read();
  const outside = new Database(file);
  onTestFinished(() => void outside.close());
  for (const table of ["identities", "rulebook"]) {
    outside.exec(`UPDATE ${table} SET version = version + 1`);
  }
  const before = await read();
  const refused = stepFixture({
    expects: [
      { kind: "identity", id: person.id, version: 1 },
      { kind: "rulebook", id: "rulebook", version: 1 },
    ],
  });
  expect(await store.commit(refused)).toMatchObject({ conflict: "version" });
  expect({ before, after: await read() }).toEqual({ before: [1, 1], after: [2, 2] });
});

test("a cached read that holds its maximum of values is emptied before the next", () => {
  const read = vi.fn<(name: string) => { name: string }>((name) => ({ name }));
  const cached = createReadCache(1).cached("rulebook", read);
  for (const name of ["a", "a", "b", "a"]) expect(cached(name)).toEqual({ name });
  expect(read.mock.calls.flat()).toEqual(["a", "b", "a"]);
});
