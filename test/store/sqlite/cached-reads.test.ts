import Database from "better-sqlite3";
import * as fc from "fast-check";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import type { Expectation, Step, Store, Write } from "../../../src/service/ports/store.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import {
  claimedFixture,
  grantFixture,
  hashOf,
  identityFixture,
  keyFixture,
  stepFixture,
  writeStep,
} from "../../support/fixtures.ts";
import { committed, temporaryFile } from "./temporary-store.ts";

const kinds = ["identity", "key", "request", "grant", "rulebook"] as const;
type Kind = (typeof kinds)[number];
const tables = { identity: "identities", key: "api_keys", request: "requests", grant: "grants" } as const;

/** Writes some records of one of three people, and only expects the versions of others. */
const change = fc.record({
  which: fc.nat(2),
  written: fc.uniqueArray(fc.constantFrom(...kinds), { minLength: 1, maxLength: 3 }),
  expected: fc.uniqueArray(fc.constantFrom(...kinds), { maxLength: 2 }),
  isRefused: fc.constantFrom(false, false, false, true),
});
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

const rounds = fc.array(
  fc.record({
    changes: fc.array(change, { minLength: 1, maxLength: 4 }),
    looks: fc.nat(4),
    isReadBefore: fc.boolean(),
  }),
  { maxLength: 8 },
);

test("whatever is written together, every read is what is on disk", async () => {
  await fc.assert(
    fc.asyncProperty(rounds, async (some) => {
      const file = temporaryFile();
      const store = await openSqliteStore({ file, onFatal: () => {} });
      const outside = new Database(file, { readonly: true });
      try {
        const three = fillThree(store, outside);
        await committed(store, ...three.first);
        let count = 0;
        for (const { changes, looks, isReadBefore } of some) {
          if (isReadBefore) expect(await three.read()).toEqual(three.onDisk());
          const commits = Promise.all(changes.map((one) => store.commit(three.step(one, ++count))));
          // A read during the commit may return the old value, and the cache must not keep it after the commit.
          for (let look = 0; look < looks; look++) {
            await three.read();
            await nextTurn();
          }
          const results = await commits;
          expect(results.map((one) => "ok" in one)).toEqual(changes.map((one) => !one.isRefused));
          expect(await three.read()).toEqual(three.onDisk());
        }
      } finally {
        outside.close();
        await store.close();
      }
    }),
    { numRuns: 60 },
  );
});

/** Three people with a key, a request and a grant each, read through the store and directly from the file. */
function fillThree(store: Store, outside: Database.Database) {
  const all = ["a", "b", "c"].map((tail) => {
    const identity = identityFixture(tail);
    const key = keyFixture(tail, { identityId: identity.id, hash: hashOf(identity.id) });
    return { identity, key, request: claimedFixture(tail), grant: grantFixture(tail) };
  });
  const onDisk = (kind: Exclude<Kind, "rulebook">, id: string) => {
    const row = outside
      .prepare<[string], { value: string; version: number }>(
        `SELECT value, version FROM ${tables[kind]} WHERE id = ?`,
      )
      .get(id);
    return { value: JSON.parse(row?.value ?? "null"), version: row?.version ?? 0 };
  };
  const versions = new Map<string, number>();
  const rulesVersion = () => Number(outside.prepare("SELECT version FROM rulebook").pluck().get());
  const writeOf = (kind: Kind, one: (typeof all)[number], count: number): Write => {
    switch (kind) {
      case "identity":
        return { kind, value: { ...one.identity, name: `n${count}` } };
      case "key":
        return { kind, value: { ...one.key, name: `n${count}` } };
      case "request":
        return { kind, value: { ...one.request, reason: `r${count}` }, dueAt: null };
      case "grant":
        return { kind, value: { ...one.grant, endReason: `e${count}` } };
      case "rulebook":
        return { kind: "lockdown", on: count % 2 === 0 };
    }
  };
  return {
    first: all.flatMap(({ identity, key, request, grant }) => [
      writeStep([{ kind: "identity", value: identity }]),
      writeStep([{ kind: "key", value: key }]),
      writeStep([
        { kind: "request", value: request, dueAt: null },
        { kind: "grant", value: grant },
      ]),
    ]),
    /** Expects the versions that the earlier steps lead to. */
    step: ({ which, written, expected, isRefused }: Change, count: number): Step => {
      const one = assertPresent(all[which], "one of the three");
      const expects = [...new Set([...written, ...expected])].map((kind): Expectation => {
        const id = kind === "rulebook" ? kind : one[kind].id;
        const version = versions.get(id) ?? 1;
        if (!isRefused && written.includes(kind)) versions.set(id, version + 1);
        return { kind, id, version: isRefused ? version + 7 : version };
      });
      return stepFixture({ expects, writes: written.map((kind) => writeOf(kind, one, count)) });
    },
    read: async () => ({
      rules: await store.rulebookVersion(),
      people: await store.people({ ids: all.map(({ identity }) => identity.id), selectors: [] }),
      keys: await Promise.all(all.map(({ key }) => store.keyByHash(key.hash))),
      requests: await Promise.all(all.map(({ request }) => store.request(request.id))),
    }),
    onDisk: () => ({
      rules: rulesVersion(),
      people: all.map(({ identity }) => onDisk("identity", identity.id)),
      keys: all.map(({ key, identity }) => ({
        key: onDisk("key", key.id),
        identity: onDisk("identity", identity.id).value,
      })),
      requests: all.map(({ request, grant }) => ({
        request: onDisk("request", request.id),
        grant: onDisk("grant", grant.id),
      })),
    }),
  };
}
