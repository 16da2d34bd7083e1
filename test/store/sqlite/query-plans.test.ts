import type Database from "better-sqlite3";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { RequestFilter, Viewer } from "../../../src/service/ports/store.ts";
import { prepareDeliveryReads } from "../../../src/store/sqlite/reads/deliveries.ts";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { statuses } from "../../../src/core/access/status.ts";
import { prepareGrantReads } from "../../../src/store/sqlite/reads/grants.ts";
import { branchQuery, orderQuery } from "../../../src/store/sqlite/reads/requests/list-requests.ts";
import { openDatabase } from "../../../src/store/sqlite/file/open-database.ts";
import { prepareAuditStatements } from "../../../src/store/sqlite/reads/audit-events.ts";
import { prepareApiKeyReads } from "../../../src/store/sqlite/reads/api-keys.ts";
import { credentialQuery } from "../../../src/store/sqlite/reads/credentials.ts";
import { prepareIdentityReads } from "../../../src/store/sqlite/reads/identities.ts";
import { prepareHistoryReads } from "../../../src/store/sqlite/reads/history.ts";
import { prepareOutboxReads } from "../../../src/store/sqlite/reads/outbox.ts";
import { prepareTargetReads } from "../../../src/store/sqlite/reads/grant-targets.ts";
import { prepareRequestReads } from "../../../src/store/sqlite/reads/requests/requests.ts";
import { accessPathsOf } from "../../../src/store/sqlite/reads/requests/request-branches.ts";
import { outOfOrderFrom, prepareFirstSince } from "../../../src/store/sqlite/reads/requests/request-times.ts";
import { prepareUnrecorded } from "../../../src/store/sqlite/reads/find-unrecorded.ts";
import { at, ids, scope } from "../../support/fixtures.ts";

const migrations = resolve(import.meta.dirname, "../../../migrations/sqlite");

const folder = mkdtempSync(join(tmpdir(), "jit-plans-"));
const database = openDatabase(join(folder, "data", "jit.db"), migrations);
afterAll(() => {
  database.close();
  rmSync(folder, { recursive: true });
});
const openReader = (): Database.Database => database.reader;

interface Planned {
  readonly sql: string;
  readonly params: readonly unknown[];
}

function planOf(client: Database.Database, { sql, params }: Planned): readonly string[] {
  return client
    .prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    .all(...params.map(() => null))
    .map((row) => row.detail);
}

/** Lines that read a whole table, or sort what an index should have given in order. */
function costly(plan: readonly string[]): readonly string[] {
  return plan.filter((line) => /^SCAN (?!json_each)|TEMP B-TREE/.test(line));
}

test("what time makes due is found by index, in order, whatever the size of the tables", () => {
  const client = openReader();
  const tables = drizzle(client);
  const { dueRequests, waiting, stranded, openReviews } = prepareRequestReads(tables);
  const { due: dueGrants } = prepareGrantReads(tables);
  const { due, oldest } = prepareOutboxReads(tables);
  const { becomingOverdue, toTakeBackAt, at: grantsAt, overdue } = prepareTargetReads(tables);
  const plans = {
    dueRequests,
    dueGrants,
    waiting,
    stranded,
    openReviews,
    due,
    oldest,
    becomingOverdue,
    toTakeBackAt,
    grantsAt,
    overdue,
  };
  for (const [name, statement] of Object.entries(plans)) {
    const plan = planOf(client, statement.getQuery());
    expect({ name, costly: costly(plan) }).toEqual({ name, costly: [] });
  }
  expect(planOf(client, dueRequests.getQuery()).join()).toContain("requests_due");
  expect(planOf(client, waiting.getQuery()).join()).toContain("requests_by_status");
  expect(planOf(client, stranded.getQuery()).join()).toContain("requests_stranded");
  expect(planOf(client, openReviews.getQuery()).join()).toContain("requests_open_reviews");
  expect(planOf(client, dueGrants.getQuery()).join()).toContain("grants_due");
  expect(planOf(client, due.getQuery()).join()).toContain("outbox_ready");
});

test("nothing that is looked up on the way to a decision reads a whole table", () => {
  const client = openReader();
  const tables = drizzle(client);
  const { dueRequests: _, ...requests } = prepareRequestReads(tables);
  for (const statement of [requests.openOf, requests.overdueOf]) {
    expect(planOf(client, statement.getQuery()).join()).toContain("requests_open");
  }
  const { grant } = prepareGrantReads(tables);
  const identities = prepareIdentityReads(tables);
  const apiKeys = prepareApiKeyReads(tables);
  const statements = { ...requests, ...identities, ...apiKeys, ...prepareHistoryReads(tables), grant };
  for (const [name, statement] of Object.entries(statements)) {
    const scans = planOf(client, statement.getQuery()).filter((line) =>
      /^SCAN (?!json_each|(?:starts|denials|submissions)$)/.test(line),
    );
    expect({ name, scans }).toEqual({ name, scans: [] });
  }
});

test("a request's messages, and what somebody was told of lately, are found by index", () => {
  const client = openReader();
  const { ofRequests, openRequestsShownTo } = prepareDeliveryReads(drizzle(client));
  expect(planOf(client, ofRequests.getQuery()).join()).toContain("deliveries_by_request");
  const plan = planOf(client, openRequestsShownTo.getQuery());
  expect(plan.join()).toContain("deliveries_by_reader");
  expect(costly(plan)).toEqual([]);
});

test("each record's predecessor, a request's records and an action's records are found by index", () => {
  const client = openReader();
  for (const [name, statement] of Object.entries(prepareAuditStatements(drizzle(client)))) {
    expect({ name, costly: costly(planOf(client, statement.getQuery())) }).toEqual({ name, costly: [] });
  }
});

test("a request's records of one action, and what each connector has, are read from an index alone", () => {
  const client = openReader();
  const tables = drizzle(client);
  const { both } = prepareAuditStatements(tables);
  expect(planOf(client, both.getQuery()).join()).toContain(
    "by_audited_request_and_action (request=? AND action=?",
  );
  const inUse = planOf(client, prepareTargetReads(tables).inUse.getQuery());
  expect(inUse).toEqual(["SCAN grant_targets USING COVERING INDEX grant_targets_by_place"]);
});

const viewer: Viewer = { id: ids.identity("ann"), selectors: ["ann@company.com", "group:dba"] };
const now = at(0);
const wanted = scope("read:prod:orders-db");
const dev = ids.identity("dev");

/** Every set of filters that a caller can send: each alone, and each with each other. */
const single: Readonly<Record<string, Partial<RequestFilter>>> = {
  visible: { visibleTo: viewer },
  approver: { approver: viewer },
  reviewer: { reviewer: viewer },
  subject: { subjectId: dev },
  scope: { scope: wanted },
  time: { since: at(-1), until: at(1) },
  ...Object.fromEntries(statuses.map((status) => [status, { status }])),
};
const combined = Object.entries(single).flatMap(([name, filter]) =>
  Object.entries(single).map(
    ([other, more]) => [name === other ? name : `${name}, ${other}`, { ...filter, ...more }] as const,
  ),
);

test.each([
  ["nothing", {}] as const,
  ...combined,
  ["everything", Object.assign({}, ...Object.values(single))] as const,
])(
  "a page by %s is read newest first from an index, and sorted only where that is little",
  (_name, filter: Partial<RequestFilter>) => {
    const client = openReader();
    const tables = drizzle(client);
    const range = { above: 1, below: 9 };
    for (const branch of accessPathsOf({ ...filter, now }).flat(2)) {
      const plan = planOf(
        client,
        branchQuery(tables, branch, { ...filter, now }, range)
          .limit(51)
          .toSQL(),
      );
      const isFew = branch.by === "few";
      expect(costly(plan)).toEqual(isFew ? ["USE TEMP B-TREE FOR ORDER BY"] : []);
      expect(plan[0]).toMatch(isFew ? /requests_by_subject|requests_lapsing/ : /SEARCH/);
      if (branch.by === "scope" && branch.status !== undefined) expect(plan[0]).toContain("status=?");
      const floor = planOf(client, orderQuery(tables, branch, range).limit(1).offset(9).toSQL());
      expect(costly(floor)).toEqual(isFew ? ["USE TEMP B-TREE FOR ORDER BY"] : []);
      if (!isFew) expect(floor[0]).toMatch(/USING (COVERING INDEX|INTEGER PRIMARY KEY)/);
    }
  },
);

test("where a span of time begins is found by index, and what a lowered clock put out of order by its own", () => {
  const client = openReader();
  const tables = drizzle(client);
  const first = prepareFirstSince(tables).getQuery();
  expect(planOf(client, first).join()).toContain("SEARCH requests USING COVERING INDEX requests_by_time");
  const late = outOfOrderFrom(7);
  const plan = planOf(
    client,
    branchQuery(tables, late, { now, until: at(1) }, { below: 9 })
      .limit(51)
      .toSQL(),
  );
  expect(plan[0]).toContain("requests_out_of_order");
  expect(costly(plan)).toEqual([]);
});

test("what the metrics count is counted by index, and what is active is not counted anew", () => {
  const client = openReader();
  const tables = drizzle(client);
  const { stranded } = prepareRequestReads(tables);
  const { waiting, overdue } = prepareTargetReads(tables);
  const { written, lapsed } = prepareGrantReads(tables);
  const reads = { written, lapsed, stranded, waiting, overdue };
  for (const [name, statement] of Object.entries(reads)) {
    const plan = planOf(client, statement.getQuery());
    expect({
      name,
      scans: plan.filter((line) => /^SCAN (?!.*(grant_targets_over|requests_stranded))/.test(line)),
    }).toEqual({ name, scans: [] });
  }
});

test("a presented token's row is found by its hash and its grant by number", () => {
  expect(planOf(openReader(), { sql: credentialQuery, params: [""] })).toEqual([
    "SEARCH c USING INDEX sqlite_autoindex_credentials_1 (hash=?)",
    "SEARCH g USING INTEGER PRIMARY KEY (rowid=?)",
  ]);
});

test("the state is compared with the log row by row, and each request's records are found by index", () => {
  const client = openReader();
  const { requests, grants, records } = prepareUnrecorded(drizzle(client));
  for (const [name, statement] of Object.entries({ requests, grants, records })) {
    const plan = planOf(client, statement.getQuery());
    expect({ name, costly: costly(plan) }).toEqual({ name, costly: [] });
  }
  expect(planOf(client, records.getQuery()).join()).toContain("by_audited_request");
});
