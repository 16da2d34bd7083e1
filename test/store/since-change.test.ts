import Database from "better-sqlite3";
import * as fc from "fast-check";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { present } from "../../src/core/assert.ts";
import type { Step, Store } from "../../src/service/ports.ts";
import { createSinceChange } from "../../src/store/since-change.ts";
import { openSqliteStore } from "../../src/store/sqlite-store.ts";
import {
  at,
  claimedFixture,
  grantFixture,
  hashOf,
  identityFixture,
  keyFixture,
  requestFixture,
  stepOf,
  writing,
} from "../support/fixtures.ts";
import { committed, openStore, temporaryFile } from "./temporary-store.ts";

const person = identityFixture("dev");
const key = keyFixture("a");
const deleted = { ...key, deletedAt: at(1) };
const inactive = identityFixture("dev", { enabled: false });
const deletion = writing([{ kind: "key", value: deleted }], { [key.id]: 1 });
const deactivation = writing([{ kind: "identity", value: inactive }], { [person.id]: 1 });

/** A store with a person, their key and a grant of theirs, all of which have been read already. */
async function openUsed(file = temporaryFile()) {
  const store = await openStore({ file });
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

test("a key that was deleted is seen as deleted by the first read after the commit", async () => {
  const store = await openUsed();
  await committed(store, deletion);
  expect((await store.keyByHash(key.hash))?.key).toEqual({ value: deleted, version: 2 });
});

test("who was deactivated is seen as such with their key and with their credential", async () => {
  const store = await openUsed();
  await committed(store, deactivation);
  expect((await store.keyByHash(key.hash))?.identity).toEqual(inactive);
  expect((await store.credential(hashOf("token a")))?.identity).toEqual(inactive);
});

test("a step that shares its transaction with one that conflicts is seen all the same", async () => {
  const store = await openUsed();
  const conflicting = writing([{ kind: "identity", value: inactive }], { [person.id]: 7 });
  const results = await Promise.all([conflicting, deletion, conflicting].map((step) => store.commit(step)));
  expect(results.map((result) => "ok" in result)).toEqual([false, true, false]);
  expect((await store.keyByHash(key.hash))?.key.version).toBe(2);
  expect((await store.keyByHash(key.hash))?.identity).toEqual(person);
});

test("what is read while a commit is under way is what is on disk at that moment", async () => {
  const file = temporaryFile();
  const store = await openUsed(file);
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

test("what is not there is looked for each time", async () => {
  const store = await openStore();
  await committed(store, writing([{ kind: "identity", value: person }]));
  expect(await store.keyByHash(key.hash)).toBeUndefined();
  await committed(store, writing([{ kind: "key", value: key }]));
  expect(await store.keyByHash(key.hash)).toBeDefined();
});

test("between two changes of its part the same is read once, and any change of it has all of it read again", () => {
  const read = vi.fn<(name: string) => { name: string }>((name) => ({ name }));
  const sinceChange = createSinceChange();
  const remembered = sinceChange.remembering("directory", read);
  expect([remembered("a"), remembered("a"), remembered("b")].map((one) => one?.name)).toEqual([
    "a",
    "a",
    "b",
  ]);
  expect(read).toHaveBeenCalledTimes(2);
  sinceChange.changing([{ kind: "lockdown", on: true }]);
  remembered("a");
  expect(read).toHaveBeenCalledTimes(2);
  sinceChange.changing([{ kind: "key", value: key }]);
  remembered("a");
  expect(read).toHaveBeenCalledTimes(3);
});

test("a step that changes nobody leaves what is known, and one that is taken back forgets it all the same", async () => {
  const store = await openUsed();
  const before = await store.keyByHash(key.hash);
  await committed(store, stepOf({}));
  expect(await store.keyByHash(key.hash)).toBe(before);
  expect(
    await store.commit(writing([{ kind: "identity", value: inactive }], { [person.id]: 7 })),
  ).toMatchObject({
    conflict: "version",
  });
  expect(await store.keyByHash(key.hash)).toEqual(before);
});

test("a request is read once until it or its grant changes, and others stay known", async () => {
  const store = await openUsed();
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
  const cancelled = { ...other, phase: "CANCELLED", endedAt: at(4) } as const;
  await committed(store, writing([{ kind: "request", value: cancelled, dueAt: null }], { [other.id]: 1 }));
  expect((await store.request(other.id))?.request).toEqual({ value: cancelled, version: 2 });
});

test("the rulebook's new version is seen by the first read after the commit", async () => {
  const store = await openUsed();
  const before = await store.rulebookVersion();
  expect(await store.rulebookVersion()).toBe(before);
  await committed(
    store,
    stepOf({
      writes: [{ kind: "lockdown", on: true }],
      expects: [{ kind: "rulebook", id: "rulebook", version: before }],
    }),
  );
  expect(await store.rulebookVersion()).toBe(before + 1);
  expect((await store.rulebook()).version).toBe(before + 1);
});

test("who is found by their id alone is found with their manager, in the order they came to be", async () => {
  const store = await openStore();
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

test("whatever is written in whatever company, every read is what is on disk", async () => {
  const change = fc.record({
    what: fc.constantFrom("person", "key", "request", "grant", "rules" as const),
    which: fc.nat(2),
    isRefused: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(change, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
      async (rounds) => {
        const file = temporaryFile();
        const store = await openSqliteStore({ file, onFatal: () => {} });
        const outside = new Database(file, { readonly: true });
        try {
          const truth = fillThree(store, outside);
          await committed(store, ...truth.first);
          let count = 0;
          for (const round of rounds) {
            expect(await truth.read()).toEqual(truth.onDisk());
            await Promise.all(round.map((one) => store.commit(truth.step(one, ++count))));
            expect(await truth.read()).toEqual(truth.onDisk());
          }
        } finally {
          outside.close();
          await store.close();
        }
      },
    ),
    { numRuns: 40 },
  );
});

interface Change {
  readonly what: "person" | "key" | "request" | "grant" | "rules";
  readonly which: number;
  /** Made under a version that is not there. */
  readonly isRefused: boolean;
}

/** Three people with a key, a request and a grant each: how to change them, and how to read them both ways. */
function fillThree(store: Store, outside: Database.Database) {
  const tails = ["a", "b", "c"];
  const people = tails.map((tail) => identityFixture(tail));
  const keys = people.map((one, index) =>
    keyFixture(tails[index] ?? "", { identityId: one.id, hash: hashOf(one.id) }),
  );
  const requests = tails.map((tail) => claimedFixture(tail));
  const grants = tails.map((tail) => grantFixture(tail));
  const tables = { identities: people, api_keys: keys, requests, grants };
  const row = (table: string, id: string): { readonly value: string; readonly version: number } =>
    outside
      .prepare<[string], { value: string; version: number }>(
        `SELECT value, version FROM ${table} WHERE id = ?`,
      )
      .get(id) ?? { value: "null", version: 0 };
  const versioned = (table: string, id: string) => {
    const { value, version } = row(table, id);
    return { value: JSON.parse(value), version };
  };
  const rulesVersion = () => outside.prepare("SELECT version FROM rulebook").pluck().get();
  return {
    first: tails.flatMap((_, index) => [
      writing([{ kind: "identity", value: there(people[index]) }]),
      writing([{ kind: "key", value: there(keys[index]) }]),
      writing([
        { kind: "request", value: there(requests[index]), dueAt: null },
        { kind: "grant", value: there(grants[index]) },
      ]),
    ]),
    step: ({ what, which, isRefused }: Change, count: number): Step => {
      if (what === "rules") {
        const version = Number(rulesVersion()) + (isRefused ? 7 : 0);
        return stepOf({
          writes: [{ kind: "lockdown", on: count % 2 === 0 }],
          expects: [{ kind: "rulebook", id: "rulebook", version }],
        });
      }
      const table = (
        { person: "identities", key: "api_keys", request: "requests", grant: "grants" } as const
      )[what];
      const { id } = there(tables[table][which]);
      const versions = { [id]: row(table, id).version + (isRefused ? 7 : 0) };
      switch (what) {
        case "person":
          return writing(
            [{ kind: "identity", value: { ...there(people[which]), name: `n${count}` } }],
            versions,
          );
        case "key":
          return writing([{ kind: "key", value: { ...there(keys[which]), name: `n${count}` } }], versions);
        case "request":
          return writing(
            [{ kind: "request", value: { ...there(requests[which]), reason: `r${count}` }, dueAt: null }],
            versions,
          );
        case "grant":
          return writing(
            [{ kind: "grant", value: { ...there(grants[which]), endReason: `e${count}` } }],
            versions,
          );
      }
    },
    read: async () => ({
      rules: await store.rulebookVersion(),
      people: await store.people({ ids: people.map((one) => one.id), selectors: [] }),
      keys: await Promise.all(keys.map(({ hash }) => store.keyByHash(hash))),
      requests: await Promise.all(requests.map(({ id }) => store.request(id))),
    }),
    onDisk: () => ({
      rules: rulesVersion(),
      people: people.map(({ id }) => versioned("identities", id)),
      keys: keys.map(({ id, identityId }) => ({
        key: versioned("api_keys", id),
        identity: versioned("identities", identityId).value,
      })),
      requests: requests.map(({ id }, index) => ({
        request: versioned("requests", id),
        grant: versioned("grants", there(grants[index]).id),
      })),
    }),
  };
}

function there<T>(value: T | undefined): T {
  return present(value, "one of the three");
}
