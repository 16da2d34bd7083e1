import { expect, test } from "vitest";
import type { Review } from "../../../src/core/access/access-request.ts";
import type { CheckedGrant } from "../../../src/core/access/grant.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import type { Store } from "../../../src/service/ports/store.ts";
import {
  approvedFixture,
  at,
  claimedFixture,
  credentialFixture,
  grantFixture,
  hashOf,
  identityFixture,
  ids,
  requestFixture,
  scope,
  stepFixture,
  writeStep,
} from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

const dev = ids.identity("dev");
const readDb = scope("read:prod:orders-db");

const reviewed = (reviews: readonly Review[]) => claimedFixture("a", breakGlass(reviews));

/** An identity with a claimed request and an active grant, named by `tail`. */
async function withGrant(
  store: Store,
  tail = "a",
  changes: Parameters<typeof grantFixture>[1] = {},
): Promise<void> {
  await committed(
    store,
    writeStep([
      { kind: "request", value: claimedFixture(tail), dueAt: null },
      { kind: "grant", value: grantFixture(tail, changes) },
    ]),
  );
}

const review = (outcome: Review["outcome"], minute: number): Review => ({
  by: ids.identity("security"),
  at: at(minute),
  outcome,
  comment: "seen",
});

const usedAt = (minute: number) =>
  stepFixture({ writes: [{ kind: "credentialFirstUsed", id: ids.credential("a"), at: at(minute) }] });

const breakGlass = (reviews: readonly Review[]) => ({
  breakGlass: {
    review: emptyRules.breakGlass.review,
    notify: [],
    reviews,
    reviewDueAt: at(60),
    overdueAt: null,
  },
});

/** `grantFixture(tail)` as a token check sees it. */
function checkedFixture(tail: string): CheckedGrant {
  const { requestId, subjectId, phase, startedAt, expiresAt } = grantFixture(tail);
  return { requestId, subjectId, scope: readDb, phase, startedAt, expiresAt, breakGlass: false };
}

export function grantContract(open: OpenEmptyStore): void {
  test("a token's hash finds its credential, grant and person at once", async () => {
    const store = await open();
    const identity = identityFixture("dev");
    await committed(store, writeStep([{ kind: "identity", value: identity }]));
    await withGrant(store);
    expect(await store.credential(hashOf("token a"))).toEqual({
      credentialId: ids.credential("a"),
      last4: "wxyz",
      current: true,
      firstUsedAt: null,
      grant: checkedFixture("a"),
      identity,
    });
    expect(await store.credential(hashOf("token b"))).toBeUndefined();
  });

  test("after a rotation the old token is found as no longer current", async () => {
    const store = await open();
    await committed(store, writeStep([{ kind: "identity", value: identityFixture("dev") }]));
    await withGrant(store);
    const rotated = grantFixture("a", { credential: credentialFixture("a2") });
    await committed(store, writeStep([{ kind: "grant", value: rotated }], { [rotated.id]: 1 }));
    expect(await store.credential(hashOf("token a"))).toMatchObject({
      current: false,
      credentialId: "cred_a",
    });
    expect(await store.credential(hashOf("token a2"))).toMatchObject({
      current: true,
      credentialId: "cred_a2",
      grant: checkedFixture("a"),
    });
  });

  test("a token is found with the state of its grant: extended, and ended", async () => {
    const store = await open();
    await committed(store, writeStep([{ kind: "identity", value: identityFixture("dev") }]));
    const facts = { scopes: [scope("write:prod:orders-db"), readDb], breakGlass: true };
    await withGrant(store, "a", facts);
    const known = {
      ...checkedFixture("a"),
      scope: "write:prod:orders-db read:prod:orders-db",
      breakGlass: true,
    };
    expect((await store.credential(hashOf("token a")))?.grant).toEqual(known);
    const prolonged = grantFixture("a", { ...facts, expiresAt: at(90) });
    await committed(store, writeStep([{ kind: "grant", value: prolonged }], { [prolonged.id]: 1 }));
    expect((await store.credential(hashOf("token a")))?.grant).toEqual({ ...known, expiresAt: at(90) });
    const over = { ...prolonged, phase: "REVOKED", endedAt: at(3) } as const;
    await committed(store, writeStep([{ kind: "grant", value: over }], { [over.id]: 2 }));
    expect((await store.credential(hashOf("token a")))?.grant).toEqual({
      ...known,
      expiresAt: at(90),
      phase: "REVOKED",
    });
  });

  test("the first use of a credential is stored, and a later one changes nothing", async () => {
    const store = await open();
    await committed(store, writeStep([{ kind: "identity", value: identityFixture("dev") }]));
    await withGrant(store);
    await committed(store, usedAt(1), usedAt(2));
    const ended = grantFixture("a", { phase: "COMPLETED", endedAt: at(3) });
    await committed(store, writeStep([{ kind: "grant", value: ended }], { [ended.id]: 1 }));
    expect(await store.credential(hashOf("token a"))).toMatchObject({ firstUsedAt: at(1), current: true });
  });

  test("a request is read with the grant it led to", async () => {
    const store = await open();
    await withGrant(store);
    expect(await store.request(ids.request("a"))).toEqual({
      request: { value: claimedFixture("a"), version: 1 },
      grant: { value: grantFixture("a"), version: 1 },
    });
  });

  test("grants are due from their end on, the longest due first, until the end is written", async () => {
    const store = await open();
    await withGrant(store, "late", { expiresAt: at(90) });
    await withGrant(store, "early", { expiresAt: at(60) });
    expect(await store.dueGrants(at(59), 10)).toEqual([]);
    expect(await store.dueGrants(at(60), 10)).toEqual(["jit_early"]);
    expect(await store.dueGrants(at(90), 10)).toEqual(["jit_early", "jit_late"]);
    expect(await store.dueGrants(at(90), 1)).toEqual(["jit_early"]);
    const expired = grantFixture("early", { expiresAt: at(60), phase: "EXPIRED", endedAt: at(60) });
    await committed(store, writeStep([{ kind: "grant", value: expired }], { [expired.id]: 1 }));
    expect(await store.dueGrants(at(90), 10)).toEqual(["jit_late"]);
  });

  test("requests are due from dueAt on, the longest due first, and never without one", async () => {
    const store = await open();
    await committed(
      store,
      ...[at(20), at(10), null].map((dueAt, index) =>
        writeStep([{ kind: "request", value: requestFixture(`r${index}`), dueAt }]),
      ),
    );
    expect(await store.dueRequests(at(9), 10)).toEqual([]);
    expect(await store.dueRequests(at(999), 10)).toEqual(["jit_r1", "jit_r0"]);
    expect(await store.dueRequests(at(999), 1)).toEqual(["jit_r1"]);
    const later = writeStep([{ kind: "request", value: requestFixture("r1"), dueAt: null }], { jit_r1: 1 });
    await committed(store, later);
    expect(await store.dueRequests(at(999), 10)).toEqual(["jit_r0"]);
  });

  test("pending requests are read in order of arrival, page by page, without decided ones", async () => {
    const store = await open();
    const waiting = ["r0", "r1", "r2"].map((tail) => requestFixture(tail));
    await committed(
      store,
      writeStep([{ kind: "request", value: approvedFixture("approved"), dueAt: null }]),
      ...waiting.map((value) => writeStep([{ kind: "request", value, dueAt: null }])),
    );
    const first = await store.waitingRequests(0, 2);
    expect(first.map((one) => one.request)).toEqual(waiting.slice(0, 2));
    const second = await store.waitingRequests(first.at(-1)?.ord ?? 0, 2);
    expect(second.map((one) => one.request.id)).toEqual(["jit_r2"]);
    expect(await store.waitingRequests(second.at(-1)?.ord ?? 0, 2)).toEqual([]);
  });

  test("open reviews are read in order of arrival, page by page, without uses that were justified or never started", async () => {
    const store = await open();
    await committed(
      store,
      ...[
        claimedFixture("open", breakGlass([])),
        claimedFixture("justified", breakGlass([review("justified", 1)])),
        claimedFixture("ordinary"),
        approvedFixture("unclaimed", breakGlass([])),
        claimedFixture("unjustified", breakGlass([review("unjustified", 1)])),
        claimedFixture("later", breakGlass([])),
      ].map((value) => writeStep([{ kind: "request", value, dueAt: null }])),
    );
    const first = await store.openReviews(0, 2);
    expect(first.map((one) => one.request.id)).toEqual(["jit_open", "jit_unjustified"]);
    const second = await store.openReviews(first.at(-1)?.ord ?? 0, 2);
    expect(second.map((one) => one.request.id)).toEqual(["jit_later"]);
  });

  test("stranded requests are counted while they wait, by the clock", async () => {
    const store = await open();
    const stranded = { since: at(1), stage: 1, until: null };
    const approvalDeadline = at(60);
    await committed(
      store,
      ...[
        requestFixture("waits", { approvalDeadline }),
        requestFixture("stranded", { approvalDeadline, stranded }),
        requestFixture("again", { approvalDeadline, stranded: { ...stranded, until: at(2) } }),
        requestFixture("denied", { approvalDeadline, stranded, phase: "DENIED", endedAt: at(3) }),
      ].map((value) => writeStep([{ kind: "request", value, dueAt: null }])),
    );
    expect(await store.strandedRequests(at(59))).toBe(1);
    expect(await store.strandedRequests(at(60))).toBe(0);
    const later = requestFixture("stranded", { approvalDeadline, stranded, phase: "CANCELLED" });
    await committed(store, writeStep([{ kind: "request", value: later, dueAt: null }], { jit_stranded: 1 }));
    expect(await store.strandedRequests(at(59))).toBe(0);
  });

  test("open requests are those written as open; overdue ones are those that time has ended", async () => {
    const store = await open();
    await committed(
      store,
      writeStep([
        { kind: "request", value: requestFixture("pending", { approvalDeadline: at(10) }), dueAt: null },
      ]),
      writeStep([
        { kind: "request", value: approvedFixture("approved", { claimDeadline: at(20) }), dueAt: null },
      ]),
      writeStep([
        {
          kind: "request",
          value: requestFixture("denied", { phase: "DENIED", endedAt: at(1) }),
          dueAt: null,
        },
      ]),
      writeStep([
        { kind: "request", value: requestFixture("else", { subjectId: ids.identity("ann") }), dueAt: null },
      ]),
    );
    await withGrant(store, "active", { expiresAt: at(30) });
    await withGrant(store, "ended", { phase: "REVOKED", endedAt: at(5) });
    expect(await store.openRequestsOf(dev)).toEqual(["jit_pending", "jit_approved", "jit_active"]);
    expect(await store.overdueRequestsOf(dev, at(9))).toEqual([]);
    expect(await store.overdueRequestsOf(dev, at(10))).toEqual(["jit_pending"]);
    expect(await store.overdueRequestsOf(dev, at(30))).toEqual(["jit_pending", "jit_approved", "jit_active"]);
    expect(await store.openRequestsOf(dev)).toHaveLength(3);
  });

  test("a grant has at most one open extension, until it is decided", async () => {
    const store = await open();
    const extension = { of: ids.request("a"), grantId: ids.grant("a"), totalMs: 1 };
    const child = requestFixture("child", { extension });
    await committed(store, writeStep([{ kind: "request", value: child, dueAt: null }]));
    expect(await store.openExtension(ids.grant("a"))).toEqual({ value: child, version: 1 });
    expect(await store.openExtension(ids.grant("b"))).toBeUndefined();
    const done = requestFixture("child", { extension, phase: "COMPLETED" });
    await committed(store, writeStep([{ kind: "request", value: done, dueAt: null }], { jit_child: 1 }));
    expect(await store.openExtension(ids.grant("a"))).toBeUndefined();
  });

  test("the history holds starts of each scope, denials and submissions before the given time, newest first", async () => {
    const store = await open();
    await withGrant(store, "one", { startedAt: at(1) });
    await withGrant(store, "two", { startedAt: at(2), scopes: [readDb, scope("write:prod:orders-db")] });
    const denied = requestFixture("denied", { phase: "DENIED", endedAt: at(3), requestedAt: at(2) });
    await committed(store, writeStep([{ kind: "request", value: denied, dueAt: null }]));
    const past = await store.history(dev, [readDb, scope("write:prod:orders-db")], at(4));
    expect(past.startedAt(readDb)).toEqual([at(2), at(1)]);
    expect(past.startedAt(scope("write:prod:orders-db"))).toEqual([at(2)]);
    expect(past.startedAt(scope("read:other"))).toEqual([]);
    expect(past.deniedAt).toEqual([at(3)]);
    expect(past.requestedAt).toEqual([at(2), at(0), at(0)]);
    const earlier = await store.history(dev, [readDb], at(2));
    expect([earlier.startedAt(readDb), earlier.deniedAt, earlier.requestedAt]).toEqual([
      [at(1)],
      [],
      [at(0), at(0)],
    ]);
    expect((await store.history(ids.identity("ann"), [readDb], at(9))).startedAt(readDb)).toEqual([]);
  });

  test("break-glass counts as earlier access only while its last review says justified", async () => {
    const store = await open();
    await committed(
      store,
      writeStep([
        { kind: "request", value: reviewed([]), dueAt: null },
        { kind: "grant", value: grantFixture("a", { breakGlass: true }) },
      ]),
    );
    const startsAfter = async (reviews: readonly Review[], version: number) => {
      await committed(
        store,
        writeStep([{ kind: "request", value: reviewed(reviews), dueAt: null }], { jit_a: version }),
      );
      return (await store.history(dev, [readDb], at(30))).startedAt(readDb).length;
    };
    expect((await store.history(dev, [readDb], at(30))).startedAt(readDb)).toEqual([]);
    expect(await startsAfter([review("justified", 10)], 1)).toBe(1);
    expect(await startsAfter([review("justified", 30)], 2)).toBe(0);
    expect(await startsAfter([review("justified", 10), review("unjustified", 20)], 3)).toBe(0);
    expect(await startsAfter([review("unjustified", 10), review("justified", 20)], 4)).toBe(1);
  });

  test("break-glass uses are those whose access started, newest first, at most 100", async () => {
    const store = await open();
    const used = Array.from({ length: 101 }, (_, index) => claimedFixture(`u${index}`, breakGlass([])));
    await committed(store, writeStep(used.map((value) => ({ kind: "request", value, dueAt: null }))));
    const unclaimed = approvedFixture("unclaimed", breakGlass([]));
    await committed(store, writeStep([{ kind: "request", value: unclaimed, dueAt: null }]));
    const found = await store.breakGlassUses(dev);
    expect([found.length, found[0]?.id, found.at(-1)?.id]).toEqual([100, "jit_u100", "jit_u1"]);
    expect(await store.breakGlassUses(ids.identity("ann"))).toEqual([]);
  });
}
