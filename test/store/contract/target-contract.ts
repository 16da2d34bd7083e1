import { expect, test } from "vitest";
import type { StartedGrant, UnstartedGrant } from "../../../src/core/access/grant.ts";
import type { Target } from "../../../src/core/access/target.ts";
import type { Store } from "../../../src/service/ports/store.ts";
import {
  approvedFixture,
  at,
  claimedFixture,
  grantFixture,
  hashOf,
  identityFixture,
  ids,
  scope,
  writeStep,
} from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

const target = (connector: string, tail: string, changes: Partial<Target> = {}): Target => ({
  spec: {
    connector,
    object: `jit_${tail}`,
    place: `${connector}:5432`,
    grantId: ids.grant(tail),
    requestId: ids.request(tail),
    subjectId: ids.identity("dev"),
    scopes: [scope("read:prod:orders-db")],
    rights: {},
    notAfter: at(60),
  },
  state: "PROVISIONED",
  since: at(0),
  clearedAt: null,
  drift: [],
  ...changes,
});

const prepared = (tail: string, changes: Partial<UnstartedGrant> = {}): UnstartedGrant => {
  const { credential: _, startedAt: __, expiresAt: ___, ...common } = grantFixture(tail);
  return {
    ...common,
    phase: "PREPARING",
    preparedAt: at(0),
    provisionBy: at(5),
    claimBy: at(10),
    targets: [target("db", tail, { state: "PENDING" })],
    ...changes,
  };
};

const running = (tail: string, ...targets: readonly Target[]): StartedGrant =>
  grantFixture(tail, { targets });
const over = (tail: string, minute: number, ...targets: readonly Target[]): StartedGrant =>
  grantFixture(tail, { phase: "COMPLETED", endedAt: at(minute), targets });
const revoking = (connector: string, tail: string, minute: number, changes: Partial<Target> = {}): Target =>
  target(connector, tail, { state: "REVOKING", since: at(minute), ...changes });

const put = async (store: Store, grant: StartedGrant | UnstartedGrant, version = 0): Promise<void> => {
  const tail = grant.id.slice(3);
  const isStarted = "startedAt" in grant;
  const request = isStarted ? claimedFixture(tail) : approvedFixture(tail, { grantId: grant.id });
  await committed(
    store,
    writeStep(
      [
        { kind: "request", value: request, dueAt: null },
        { kind: "grant", value: grant },
      ],
      { [request.id]: version, [grant.id]: version },
    ),
  );
};

export function targetContract(open: OpenEmptyStore): void {
  test("a prepared grant leaves its request approved, has no credential, and lapses when it is abandoned", async () => {
    const store = await open();
    await put(store, prepared("a"));
    const found = await store.request(ids.request("a"));
    expect(found?.grant?.value).toEqual(prepared("a"));
    const list = async (status: string) =>
      (await store.requests({ now: at(1), status }, { limit: 5 })).rows.length;
    expect([await list("APPROVED"), await list("ACTIVE")]).toEqual([1, 0]);
    expect(await store.activeGrants(at(1))).toBe(0);
    expect(await store.dueGrants(at(4), 5)).toEqual([]);
    expect(await store.dueGrants(at(5), 5)).toEqual([ids.request("a")]);
    const ready = prepared("a", { targets: [target("db", "a")] });
    await put(store, ready, 1);
    expect(await store.dueGrants(at(9), 5)).toEqual([]);
    expect(await store.dueGrants(at(10), 5)).toEqual([ids.request("a")]);
  });

  test("once started, a prepared grant has its credential and its entry in the history, like any other", async () => {
    const store = await open();
    await committed(store, writeStep([{ kind: "identity", value: identityFixture("dev") }]));
    await put(store, prepared("a"));
    await put(store, running("a", target("db", "a")), 1);
    expect(await store.credential(hashOf("token a"))).toMatchObject({ current: true });
    const { startedAt } = await store.history(ids.identity("dev"), [scope("read:prod:orders-db")], at(90));
    expect(startedAt(scope("read:prod:orders-db"))).toHaveLength(1);
    expect(await store.activeGrants(at(1))).toBe(1);
    await put(store, over("a", 3, revoking("db", "a", 3)), 2);
    expect(await store.credential(hashOf("token a"))).toMatchObject({
      grant: { phase: "COMPLETED" },
    });
    expect(await store.dueGrants(at(99), 5)).toEqual([]);
  });

  test("a request is read with its latest grant, an abandoned one by its own id", async () => {
    const store = await open();
    await put(store, prepared("a", { phase: "ABANDONED" }));
    const next = { ...prepared("b"), requestId: ids.request("a") };
    await committed(
      store,
      writeStep(
        [
          { kind: "request", value: approvedFixture("a", { grantId: next.id }), dueAt: null },
          { kind: "grant", value: next },
        ],
        { [ids.request("a")]: 1 },
      ),
    );
    expect((await store.request(ids.request("a")))?.grant?.value.id).toBe(next.id);
    expect((await store.requests({ now: at(1) }, { limit: 5 })).rows).toHaveLength(1);
    expect(await store.grant(ids.grant("a"))).toMatchObject({
      version: 1,
      grant: { id: ids.grant("a"), phase: "ABANDONED" },
      request: { id: ids.request("a") },
    });
    expect(await store.grant(ids.grant("none"))).toBeUndefined();
  });

  test("connectors are in use until each of their objects is confirmed gone", async () => {
    const store = await open();
    await put(store, running("a", target("db", "a"), target("cache", "a")));
    await put(store, over("b", 1, revoking("db", "b", 1, { state: "REVOKE_OVERDUE" })));
    expect(await store.connectorsInUse()).toEqual([
      { connector: "cache", place: "cache:5432", targets: 1, overdue: 0 },
      { connector: "db", place: "db:5432", targets: 2, overdue: 1 },
    ]);
    await put(store, over("b", 1, revoking("db", "b", 1, { state: "REVOKED", clearedAt: at(2) })), 1);
    await put(store, over("a", 1, revoking("db", "a", 1, { state: "FAILED", clearedAt: at(2) })), 1);
    expect(await store.connectorsInUse()).toEqual([]);
  });

  test("objects to remove are found, the oldest first, by time and by connector", async () => {
    const store = await open();
    await put(store, running("live", target("db", "live")));
    await put(store, over("b", 2, revoking("db", "b", 2), revoking("cache", "b", 2)));
    await put(store, over("a", 1, revoking("db", "a", 1)));
    const named = (all: readonly { grantId: string; connector: string }[]) =>
      all.map((one) => `${one.connector} ${one.grantId.slice(3)}`);
    expect(named(await store.becomingOverdue(at(1), 5))).toEqual(["db a"]);
    expect(named(await store.becomingOverdue(at(9), 1))).toEqual(["db a"]);
    expect(named(await store.toTakeBackAt("db", at(9), 5))).toEqual(["db a", "db b"]);
    expect(named(await store.toTakeBackAt("cache", at(1), 5))).toEqual([]);
    await put(store, over("a", 1, revoking("db", "a", 1, { state: "REVOKE_OVERDUE" })), 1);
    expect(named(await store.becomingOverdue(at(1), 5))).toEqual([]);
    expect(named(await store.toTakeBackAt("db", at(1), 5))).toEqual(["db a"]);
    expect(await store.takeBacks()).toEqual({ waiting: 3, overdue: 1, oldestOverdueSince: at(1) });
  });

  test("the grants that need a connector are read page by page", async () => {
    const store = await open();
    for (const tail of ["a", "b", "c"]) await put(store, running(tail, target("db", tail)));
    await put(store, over("d", 1, revoking("db", "d", 1)));
    const first = await store.grantsAt("db", 2);
    expect(first.map((one) => one.id)).toEqual([ids.grant("a"), ids.grant("b")]);
    expect((await store.grantsAt("db", 2, ids.grant("b"))).map((one) => one.id)).toEqual([ids.grant("c")]);
    expect(await store.grantsAt("cache", 2)).toEqual([]);
  });
}
