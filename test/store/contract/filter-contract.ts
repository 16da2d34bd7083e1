import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AccessRequest } from "../../../src/core/access/access-request.ts";
import type { Grant } from "../../../src/core/access/grant.ts";
import { formatSelector } from "../../../src/core/values/identity.ts";
import { stagesOf } from "../../../src/core/policy/requirement.ts";
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
  stageFixture,
  writeStep,
} from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

interface Kept {
  readonly request: AccessRequest;
  readonly grant?: Grant;
}

const people = ["dev", "ann", "bob"] as const;
const scopes = ["read:a", "read:b"] as const;
const groups = ["group:dba", "group:security", "manager"] as const;
/** Submitted at any minute, as if the clock had been set back in between. Time ends it at minute 60 or 90. */
const anyKept = fc.record({
  status: fc.constantFrom(...statuses),
  minute: fc.integer({ min: 0, max: 40 }),
  subject: fc.constantFrom(...people),
  asker: fc.constantFrom(...people),
  scope: fc.constantFrom(...scopes),
  group: fc.constantFrom(...groups),
  end: fc.constantFrom(60, 90),
});

function keptOf(one: typeof anyKept extends fc.Arbitrary<infer T> ? T : never, index: number): Kept {
  const tail = `r${index}`;
  const { requirement } = requestFixture("x");
  const common = {
    subjectId: ids.identity(one.subject),
    requestedById: ids.identity(one.asker),
    requestedAt: at(one.minute),
    scopes: [scope(one.scope)],
    requirement: { ...requirement, demands: [demandFixture([stageFixture([one.group])])] },
  };
  const { status } = one;
  switch (status) {
    case "PENDING":
      return { request: requestFixture(tail, { ...common, approvalDeadline: at(one.end) }) };
    case "APPROVED":
      return { request: approvedFixture(tail, { ...common, claimDeadline: at(one.end) }) };
    case "DENIED":
    case "CANCELLED":
    case "TIMED_OUT":
    case "FAILED":
      return {
        request: requestFixture(tail, { ...common, phase: status, endedAt: at(50), endReason: "over" }),
      };
    case "ACTIVE":
    case "EXPIRED":
    case "COMPLETED":
    case "REVOKED": {
      const { subjectId, scopes: held } = common;
      return {
        request: claimedFixture(tail, common),
        grant: grantFixture(tail, { phase: status, subjectId, scopes: held, expiresAt: at(one.end) }),
      };
    }
  }
}

async function keep(store: Store, all: readonly Kept[]): Promise<void> {
  for (const { request, grant } of all) {
    await committed(
      store,
      writeStep([
        { kind: "request", value: request, dueAt: null },
        ...(grant === undefined ? [] : [{ kind: "grant", value: grant } as const]),
      ]),
    );
  }
}

/** The same, in few commits. */
async function keepTogether(store: Store, all: readonly Kept[]): Promise<void> {
  for (let start = 0; start < all.length; start += 500) {
    const writes = all
      .slice(start, start + 500)
      .flatMap(({ request, grant }) => [
        { kind: "request", value: request, dueAt: null } as const,
        ...(grant === undefined ? [] : [{ kind: "grant", value: grant } as const]),
      ]);
    await committed(store, writeStep(writes));
  }
}

/** Whether a request meets a filter, computed without any index. */
function isMeant({ request, grant }: Kept, filter: RequestFilter): boolean {
  const named = stagesOf(request.requirement).flatMap((stage) => stage.approvers.map(formatSelector));
  const isNamed = (viewer: Viewer): boolean => viewer.selectors.some((one) => named.includes(one));
  const isOwn = (viewer: Viewer): boolean => [request.subjectId, request.requestedById].includes(viewer.id);
  const { visibleTo, approver, reviewer, subjectId, scope: wanted, status, since, until, now } = filter;
  return [
    visibleTo === undefined || isOwn(visibleTo) || isNamed(visibleTo),
    approver === undefined || (isNamed(approver) && !isOwn(approver)),
    reviewer === undefined,
    subjectId === undefined || request.subjectId === subjectId,
    wanted === undefined || request.scopes.includes(wanted),
    status === undefined || statusOf(request, grant, now).status === status,
    since === undefined || request.requestedAt >= since,
    until === undefined || request.requestedAt < until,
  ].every(Boolean);
}

const viewer: Viewer = { id: ids.identity("ann"), selectors: ["ann@company.com", "group:dba"] };
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const anyFilter = fc.record({
  visibleTo: maybe(fc.constant(viewer)),
  approver: maybe(fc.constant(viewer)),
  subjectId: maybe(fc.constantFrom(...people).map((name) => ids.identity(name))),
  scope: maybe(fc.constantFrom(...scopes).map((text) => scope(text))),
  status: maybe(fc.constantFrom(...statuses)),
  since: maybe(fc.integer({ min: -1, max: 41 }).map(at)),
  until: maybe(fc.integer({ min: -1, max: 41 }).map(at)),
  now: fc.constantFrom(59, 60, 91).map(at),
});

/** All pages, including those without a row. */
async function everyPage(store: Store, filter: RequestFilter, limit: number): Promise<readonly string[]> {
  const found: string[] = [];
  let before: number | undefined;
  do {
    const page = await store.requests(filter, { limit, ...(before !== undefined && { before }) });
    found.push(...page.rows.map((row) => row.request.value.id));
    before = page.next ?? undefined;
  } while (before !== undefined);
  return found;
}

export function filterContract(open: OpenEmptyStore): void {
  test("combined filters find exactly the requests that meet all of them, newest first, page by page", async () => {
    const store = await open();
    const kept: Kept[] = [];
    await fc.assert(
      fc.asyncProperty(fc.array(anyKept, { maxLength: 3 }), anyFilter, async (more, filter) => {
        const fresh = more.map((one, index) => keptOf(one, kept.length + index));
        await keep(store, fresh);
        kept.push(...fresh);
        const defined = Object.fromEntries(
          Object.entries(filter).filter(([, value]) => value !== undefined),
        ) as unknown as RequestFilter;
        const meant = kept.filter((one) => isMeant(one, defined)).map(({ request }) => request.id);
        expect(await everyPage(store, defined, 3)).toEqual(meant.toReversed());
      }),
      { numRuns: 150 },
    );
    expect(kept.length).toBeGreaterThan(50);
  });

  test("after a change of status a request is found by the new one, also by scope and by selector", async () => {
    const store = await open();
    const pending = keptOf(
      {
        status: "PENDING",
        minute: 0,
        subject: "dev",
        asker: "dev",
        scope: "read:a",
        group: "group:dba",
        end: 60,
      },
      0,
    );
    await keep(store, [pending]);
    const changes = [
      [{ kind: "request", value: { ...pending.request, phase: "CLAIMED" }, dueAt: null }],
      [{ kind: "grant", value: grantFixture("r0", { phase: "ACTIVE", expiresAt: at(60) }) }],
      [{ kind: "grant", value: grantFixture("r0", { phase: "REVOKED", expiresAt: at(60) }) }],
    ] as const;
    const versions = { requests: 1, grants: 0 };
    const found = async (status: string) => {
      const filters = [{ scope: scope("read:a") }, { approver: viewer }, { subjectId: ids.identity("dev") }];
      const lists = filters.map((filter) => everyPage(store, { ...filter, status, now: at(1) }, 5));
      return (await Promise.all(lists)).map((list) => list.length);
    };
    expect(await found("PENDING")).toEqual([1, 1, 1]);
    for (const [index, status] of (["FAILED", "ACTIVE", "REVOKED"] as const).entries()) {
      const writes = changes[index] ?? [];
      const [write] = writes;
      const version = write?.kind === "request" ? versions.requests++ : versions.grants++;
      await committed(store, writeStep([...writes], { [write?.value.id ?? ""]: version }));
      expect(await found(status)).toEqual([1, 1, 1]);
      for (const other of statuses) if (other !== status) expect(await found(other)).toEqual([0, 0, 0]);
    }
  });

  test("with filters that no index combines a page ends after a fixed number of rows, and the next continues", async () => {
    const store = await open();
    const common = { minute: 0, subject: "dev", asker: "dev", end: 60 } as const;
    // Many requests that meet one filter each, and before them one that meets both.
    const both = keptOf({ status: "ACTIVE", ...common, scope: "read:a", group: "group:dba" }, 0);
    const crowd = Array.from({ length: 5_000 }, (_, index) =>
      keptOf(
        index % 2 === 0
          ? { status: "ACTIVE", ...common, scope: "read:a", group: "group:security" }
          : { status: "ACTIVE", ...common, scope: "read:b", group: "group:dba" },
        index + 1,
      ),
    );
    await keep(store, [both]);
    await keepTogether(store, crowd);
    const filter = { approver: viewer, scope: scope("read:a"), status: "ACTIVE", now: at(1) };
    const first = await store.requests(filter, { limit: 50 });
    expect(first.rows).toEqual([]);
    expect(first.next).not.toBeNull();
    expect(await everyPage(store, filter, 50)).toEqual([both.request.id]);
  });

  test("too many rows to sort are read in order: a busy program's requests for its manager, and what lapsed in an outage", async () => {
    const store = await open();
    await committed(
      store,
      writeStep([{ kind: "identity", value: identityFixture("dev", { managerId: ids.identity("boss") }) }]),
    );
    const common = { minute: 0, subject: "dev", asker: "dev", scope: "read:a", end: 60 } as const;
    const all = Array.from({ length: 2_200 }, (_, index) =>
      keptOf({ status: "ACTIVE", ...common, group: index % 2 === 0 ? "manager" : "group:dba" }, index),
    );
    await keepTogether(store, all);
    const newestFirst = all.map(({ request }) => request.id).toReversed();
    const boss: Viewer = { id: ids.identity("boss"), selectors: ["boss@company.com"] };
    const managed = newestFirst.filter((_, index) => index % 2 === 1);
    expect(await everyPage(store, { visibleTo: boss, now: at(1) }, 200)).toEqual(managed);
    expect(await everyPage(store, { approver: boss, status: "ACTIVE", now: at(1) }, 200)).toEqual(managed);
    expect(await everyPage(store, { status: "EXPIRED", now: at(60) }, 200)).toEqual(newestFirst);
    expect(await everyPage(store, { status: "ACTIVE", now: at(60) }, 200)).toEqual([]);
  });

  test("the number of active grants excludes those that time has ended", async () => {
    const store = await open();
    const grants = ["a", "b", "c"].map((tail, index) =>
      grantFixture(tail, { expiresAt: at(10 * (index + 1)) }),
    );
    for (const [index, grant] of grants.entries()) {
      const tail = ["a", "b", "c"][index] ?? "";
      await committed(
        store,
        writeStep([
          { kind: "request", value: claimedFixture(tail), dueAt: null },
          { kind: "grant", value: grant },
        ]),
      );
    }
    expect(await Promise.all([0, 10, 29, 30].map(async (minute) => store.activeGrants(at(minute))))).toEqual([
      3, 2, 1, 0,
    ]);
    await committed(
      store,
      writeStep([{ kind: "grant", value: grantFixture("c", { phase: "REVOKED", expiresAt: at(30) }) }], {
        gr_c: 1,
      }),
    );
    expect(await Promise.all([0, 10, 29].map(async (minute) => store.activeGrants(at(minute))))).toEqual([
      2, 1, 0,
    ]);
  });
}
