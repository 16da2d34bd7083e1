import { expect, test } from "vitest";
import type { AccessRequest } from "../../../src/core/access/access-request.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { statuses, statusOf } from "../../../src/core/access/status.ts";
import type { RequestFilter, Store, Viewer } from "../../../src/service/ports/store.ts";
import {
  approvedFixture,
  at,
  claimedFixture,
  demandFixture,
  grantFixture,
  identityFixture,
  ids,
  requestFixture,
  scope,
  selector,
  stageFixture,
  writeStep,
} from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

async function keep(store: Store, ...requests: readonly AccessRequest[]): Promise<void> {
  await committed(store, ...requests.map((value) => writeStep([{ kind: "request", value, dueAt: null }])));
}

async function tails(store: Store, filter: Partial<RequestFilter>): Promise<readonly string[]> {
  const page = await store.requests({ now: at(0), ...filter }, { limit: 100 });
  return page.rows.map((row) => row.request.value.id.slice("jit_".length));
}

function decidedBy(approvers: readonly string[], escalateTo: readonly (readonly string[])[] = []) {
  const stage = stageFixture(approvers, { escalateTo: escalateTo.map((list) => list.map(selector)) });
  const { requirement } = requestFixture("x");
  return { requirement: { ...requirement, demands: [demandFixture([stage])] } };
}

const devOf = (manager: string) => identityFixture("dev", { managerId: ids.identity(manager) });

const viewer = (tail: string, ...more: readonly string[]): Viewer => ({
  id: ids.identity(tail),
  selectors: [`${tail}@company.com`, `identity:id_${tail}`, ...more],
});

/** One request of every kind, with deadlines and ends at minute 60. */
async function keepOneOfEach(store: Store): Promise<void> {
  const over = { endedAt: at(30), endReason: "over" };
  await keep(
    store,
    requestFixture("pending", { approvalDeadline: at(60) }),
    approvedFixture("approved", { claimDeadline: at(60) }),
    ...(["COMPLETED", "DENIED", "CANCELLED", "TIMED_OUT", "REVOKED", "FAILED"] as const).map((phase) =>
      requestFixture(phase.toLowerCase(), { phase, ...over }),
    ),
    claimedFixture("claimed-and-lost"),
  );
  for (const phase of ["ACTIVE", "EXPIRED", "COMPLETED", "REVOKED"] as const) {
    const tail = `grant-${phase.toLowerCase()}`;
    await committed(
      store,
      writeStep([
        { kind: "request", value: claimedFixture(tail), dueAt: null },
        { kind: "grant", value: grantFixture(tail, { phase, expiresAt: at(60) }) },
      ]),
    );
  }
}

export function listContract(open: OpenEmptyStore): void {
  test("a selector bound to an identity finds its requests by the identity, not by the address", async () => {
    const store = await open();
    const bound = { ...selector("sec@company.com"), id: ids.identity("sec") };
    const stage = { ...stageFixture([]), approvers: [bound] };
    const { requirement } = requestFixture("x");
    await keep(
      store,
      requestFixture("bound", { requirement: { ...requirement, demands: [demandFixture([stage])] } }),
    );
    const by = async (approver: Viewer) => tails(store, { approver });
    expect(await by({ id: ids.identity("sec"), selectors: ["identity:id_sec", "new@company.com"] })).toEqual([
      "bound",
    ]);
    expect(await by({ id: ids.identity("sam"), selectors: ["identity:id_sam", "sec@company.com"] })).toEqual(
      [],
    );
  });

  test("lists run newest first, page by page, without losing or repeating any", async () => {
    const store = await open();
    await keep(store, ...Array.from({ length: 7 }, (_, index) => requestFixture(`r${index}`)));
    const seen: string[] = [];
    let before: number | undefined;
    for (let page = 0; page < 3; page++) {
      const { rows, next } = await store.requests(
        { now: at(0) },
        { limit: 3, ...(before !== undefined && { before }) },
      );
      seen.push(...rows.map((row) => row.request.value.id));
      expect(next === null).toBe(page === 2);
      before = next ?? undefined;
    }
    expect(seen).toEqual(["r6", "r5", "r4", "r3", "r2", "r1", "r0"].map((tail) => `jit_${tail}`));
  });

  test("a page that ends with the last row names no next page", async () => {
    const store = await open();
    await keep(store, requestFixture("a"), requestFixture("b"));
    expect((await store.requests({ now: at(0) }, { limit: 2 })).next).toBeNull();
    expect(await store.requests({ now: at(0), status: "DENIED" }, { limit: 2 })).toEqual({
      rows: [],
      next: null,
    });
  });

  test.each([0, 59, 60, 61])(
    "at minute %i every status finds exactly what reads so by the clock",
    async (minute) => {
      const store = await open();
      await keepOneOfEach(store);
      const now = at(minute);
      const everything = (await store.requests({ now }, { limit: 100 })).rows;
      expect(everything).toHaveLength(13);
      for (const status of statuses) {
        const expected = everything
          .filter(({ request, grant }) => statusOf(request.value, grant?.value, now).status === status)
          .map(({ request }) => request.value.id);
        const { rows } = await store.requests({ now, status }, { limit: 100 });
        expect({ status, ids: rows.map((row) => row.request.value.id) }).toEqual({ status, ids: expected });
      }
    },
  );

  test("the status follows a grant that ends, whichever of the two records is written last", async () => {
    const store = await open();
    await keepOneOfEach(store);
    const tail = "grant-active";
    const ended = grantFixture(tail, { phase: "REVOKED", endedAt: at(5) });
    await committed(store, writeStep([{ kind: "grant", value: ended }], { [ended.id]: 1 }));
    expect(await tails(store, { status: "ACTIVE" })).toEqual([]);
    expect(await tails(store, { status: "REVOKED" })).toContain(tail);
    await committed(
      store,
      writeStep([{ kind: "request", value: claimedFixture(tail), dueAt: null }], { [`jit_${tail}`]: 1 }),
    );
    expect(await tails(store, { status: "ACTIVE" })).toEqual([]);
    expect(await tails(store, { status: "REVOKED" })).toContain(tail);
  });

  test("a person sees their own requests, those they submitted for others, and those they may decide or review; no others", async () => {
    const store = await open();
    const ann = ids.identity("ann");
    const review = { ...emptyRules.breakGlass.review, by: [selector("group:security")] };
    const breakGlass = { review, notify: [], reviews: [], reviewDueAt: null, overdueAt: null };
    await keep(
      store,
      requestFixture("own", { subjectId: ann }),
      requestFixture("asked", { requestedById: ann }),
      requestFixture("by-email", decidedBy(["ann@company.com"])),
      requestFixture("by-id", decidedBy(["identity:id_ann"])),
      requestFixture("by-group", decidedBy(["group:dba"])),
      requestFixture("escalated", decidedBy(["x@company.com"], [["y@company.com"], ["group:dba"]])),
      requestFixture("review", { breakGlass }),
      requestFixture("others", decidedBy(["bob@company.com", "group:other"])),
    );
    const all = ["review", "escalated", "by-group", "by-id", "by-email", "asked", "own"];
    const visibleTo = viewer("ann", "group:dba", "group:security");
    expect(await tails(store, { visibleTo })).toEqual(all);
    expect(await tails(store, { visibleTo, status: "PENDING" })).toEqual(all);
    expect(await tails(store, { visibleTo: viewer("ann") })).toEqual(["by-id", "by-email", "asked", "own"]);
    expect(await tails(store, { visibleTo: { id: ann, selectors: [] } })).toEqual(["asked", "own"]);
    expect(await tails(store, { visibleTo: viewer("stranger") })).toEqual([]);
  });

  test("the list of requests to decide excludes reviews and the person's own requests", async () => {
    const store = await open();
    const ann = ids.identity("ann");
    const review = { ...emptyRules.breakGlass.review, by: [selector("group:dba")] };
    await keep(
      store,
      requestFixture("theirs", decidedBy(["group:dba"])),
      requestFixture("own", { subjectId: ann, ...decidedBy(["group:dba"]) }),
      requestFixture("asked", { requestedById: ann, ...decidedBy(["group:dba"]) }),
      requestFixture("review", {
        breakGlass: { review, notify: [], reviews: [], reviewDueAt: null, overdueAt: null },
        ...decidedBy([]),
      }),
      requestFixture("denied", { phase: "DENIED", ...decidedBy(["group:dba"]) }),
    );
    const approver = viewer("ann", "group:dba");
    expect(await tails(store, { approver })).toEqual(["denied", "theirs"]);
    expect(await tails(store, { approver, status: "PENDING" })).toEqual(["theirs"]);
    expect(await tails(store, { approver, status: "DENIED" })).toEqual(["denied"]);
  });

  test("the list of requests to review holds break-glass uses of others, and nothing to approve", async () => {
    const store = await open();
    const reviewedBy = (group: string) => ({
      breakGlass: {
        review: { ...emptyRules.breakGlass.review, by: [selector(group)] },
        notify: [],
        reviews: [],
        reviewDueAt: null,
        overdueAt: null,
      },
      ...decidedBy([]),
    });
    await keep(
      store,
      requestFixture("approved", decidedBy(["group:security"])),
      requestFixture("theirs", reviewedBy("group:security")),
      requestFixture("others", reviewedBy("group:other")),
      requestFixture("own", { subjectId: ids.identity("ann"), ...reviewedBy("group:security") }),
    );
    const reviewer = viewer("ann", "group:security");
    expect(await tails(store, { reviewer })).toEqual(["theirs"]);
    expect(await tails(store, { reviewer, status: "PENDING" })).toEqual(["theirs"]);
    expect(await tails(store, { reviewer: viewer("ann", "group:dba") })).toEqual([]);
  });

  test("`manager` means the subject's manager at the moment", async () => {
    const store = await open();
    await committed(store, writeStep([{ kind: "identity", value: devOf("ann") }]));
    await keep(
      store,
      requestFixture("managed", decidedBy(["manager"])),
      requestFixture("not", decidedBy(["group:dba"])),
    );
    expect(await tails(store, { approver: viewer("ann") })).toEqual(["managed"]);
    expect(await tails(store, { visibleTo: viewer("ann") })).toEqual(["managed"]);
    await committed(store, writeStep([{ kind: "identity", value: devOf("bob") }], { id_dev: 1 }));
    expect(await tails(store, { approver: viewer("ann") })).toEqual([]);
    expect(await tails(store, { approver: viewer("bob"), status: "PENDING" })).toEqual(["managed"]);
  });

  test("a stage added later is decided by its people too, and addresses match without regard to case", async () => {
    const store = await open();
    await keep(store, requestFixture("a"));
    const grown = requestFixture("a", decidedBy(["lead@company.com", "cto@company.com"]));
    await committed(store, writeStep([{ kind: "request", value: grown, dueAt: null }], { jit_a: 1 }));
    const approver = { id: ids.identity("cto"), selectors: ["CTO@Company.com"] };
    expect(await tails(store, { approver })).toEqual(["a"]);
  });

  test("subject, scope and time narrow a list, alone and together with everything else", async () => {
    const store = await open();
    const write = scope("write:prod:orders-db");
    const ann = ids.identity("ann");
    await keep(
      store,
      requestFixture("old", { requestedAt: at(1) }),
      requestFixture("both", { requestedAt: at(2), scopes: [scope("read:prod:orders-db"), write] }),
      requestFixture("ann", { requestedAt: at(3), subjectId: ann, scopes: [write] }),
    );
    const lead = viewer("lead");
    expect(await tails(store, { scope: write })).toEqual(["ann", "both"]);
    expect(await tails(store, { scope: scope("read:prod:orders") })).toEqual([]);
    expect(await tails(store, { subjectId: ann })).toEqual(["ann"]);
    expect(await tails(store, { since: at(2), until: at(3) })).toEqual(["both"]);
    expect(await tails(store, { approver: lead, scope: write, since: at(3) })).toEqual(["ann"]);
    expect(
      await tails(store, { visibleTo: lead, approver: lead, subjectId: ann, status: "PENDING" }),
    ).toEqual(["ann"]);
    expect(await tails(store, { visibleTo: viewer("stranger"), scope: write })).toEqual([]);
  });

  test("a page merged from many branches holds the newest rows, and the next page continues it", async () => {
    const store = await open();
    const ann = ids.identity("ann");
    await keep(
      store,
      ...Array.from({ length: 12 }, (_, index) =>
        requestFixture(
          `r${index}`,
          [
            { subjectId: ann },
            { requestedById: ann },
            decidedBy(["group:a", "group:b"]),
            decidedBy(["nobody@x.y"]),
          ][index % 4],
        ),
      ),
    );
    const filter = { now: at(0), visibleTo: viewer("ann", "group:a", "group:b") };
    const first = await store.requests(filter, { limit: 5 });
    const second = await store.requests(filter, { limit: 5, before: first.next ?? 0 });
    expect([...first.rows, ...second.rows].map((row) => row.request.value.id)).toEqual(
      [10, 9, 8, 6, 5, 4, 2, 1, 0].map((index) => `jit_r${index}`),
    );
    expect(second.next).toBeNull();
  });
}
