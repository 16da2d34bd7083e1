import type Database from "better-sqlite3";
import { resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { RequestFilter, Viewer } from "../../src/service/ports.ts";
import { drizzle } from "../../src/store/drizzle.ts";
import { branchQuery } from "../../src/store/list-requests.ts";
import { openDatabase } from "../../src/store/open-database.ts";
import { prepareAuditStatements } from "../../src/store/read-audit.ts";
import { prepareCredentialReads } from "../../src/store/read-credential.ts";
import { prepareDirectoryReads } from "../../src/store/read-directory.ts";
import { prepareHistoryReads } from "../../src/store/read-history.ts";
import { prepareOutboxReads } from "../../src/store/read-outbox.ts";
import { prepareTargetReads } from "../../src/store/read-targets.ts";
import { prepareRequestReads } from "../../src/store/read-requests.ts";
import { prepareRequest } from "../../src/store/remembered-requests.ts";
import { branchesOf } from "../../src/store/request-filter.ts";
import { prepareUnrecorded } from "../../src/store/unrecorded.ts";
import { at, ids, scope } from "../support/fixtures.ts";
import { temporaryFile } from "./temporary-store.ts";

const migrations = resolve(import.meta.dirname, "../../migrations");

function openReader(): Database.Database {
  const database = openDatabase(temporaryFile(), migrations);
  onTestFinished(() => database.close());
  return database.reader;
}

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
  const { dueRequests, dueGrants, waiting, stranded } = prepareRequestReads(tables);
  const { due, oldest } = prepareOutboxReads(tables);
  const { becomingOverdue, toTakeBackAt, at: grantsAt, overdue } = prepareTargetReads(tables);
  const plans = {
    dueRequests,
    dueGrants,
    waiting,
    stranded,
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
  expect(planOf(client, dueGrants.getQuery()).join()).toContain("grants_due");
  expect(planOf(client, due.getQuery()).join()).toContain("outbox_ready");
});

test("nothing that is looked up on the way to a decision reads a whole table", () => {
  const client = openReader();
  const tables = drizzle(client);
  const { dueRequests: _requests, dueGrants: _grants, ...requests } = prepareRequestReads(tables);
  for (const statement of [requests.openOf, requests.overdueOf]) {
    expect(planOf(client, statement.getQuery()).join()).toContain("requests_open");
  }
  const { grant } = prepareTargetReads(tables);
  const request = prepareRequest(tables);
  const directory = prepareDirectoryReads(tables);
  const statements = { request, ...requests, ...directory, ...prepareHistoryReads(tables), grant };
  for (const [name, statement] of Object.entries(statements)) {
    const scans = planOf(client, statement.getQuery()).filter((line) =>
      /^SCAN (?!json_each|(?:starts|denials|submissions)$)/.test(line),
    );
    expect({ name, scans }).toEqual({ name, scans: [] });
  }
});

test("each record's predecessor, a request's records and an action's records are found by index", () => {
  const client = openReader();
  for (const [name, statement] of Object.entries(prepareAuditStatements(drizzle(client)))) {
    expect({ name, costly: costly(planOf(client, statement.getQuery())) }).toEqual({ name, costly: [] });
  }
});

const viewer: Viewer = { id: ids.identity("ann"), selectors: ["ann@company.com", "group:dba"] };
const now = at(0);

test.each<readonly [string, Omit<RequestFilter, "now">]>([
  ["everything", {}],
  ["what a person may see", { visibleTo: viewer }],
  ["what a person decides", { approver: viewer }],
  ["what a person reviews", { reviewer: viewer }],
  ["what a person decides of what is pending", { approver: viewer, visibleTo: viewer, status: "PENDING" }],
  ["a subject's", { subjectId: ids.identity("dev") }],
  ["a scope's", { scope: scope("read:prod:orders-db") }],
  ["what is active", { status: "ACTIVE" }],
  ["what was denied", { status: "DENIED" }],
  ["what a person sees of a scope, denied", { visibleTo: viewer, scope: scope("read:a"), status: "DENIED" }],
])(
  "a page of %s is read newest first from an index, and sorted only where that is little",
  (_name, filter) => {
    const client = openReader();
    const tables = drizzle(client);
    for (const branch of branchesOf({ ...filter, now })) {
      const plan = planOf(
        client,
        branchQuery(tables, branch, { ...filter, now }, 9)
          .limit(51)
          .toSQL(),
      );
      const isOfReports = branch.by === "reports";
      expect(costly(plan)).toEqual(isOfReports ? ["USE TEMP B-TREE FOR ORDER BY"] : []);
      expect(plan[0]).toContain(isOfReports ? "requests_by_subject (subject_id=?" : "SEARCH");
    }
  },
);

test("a presented token's row is found by its hash at once and its grant by number, whatever rebuilt their tables", () => {
  const client = openReader();
  const made = client.prepare("SELECT sql FROM sqlite_master WHERE name = 'credentials'").pluck().get();
  expect(made).toMatch(/WITHOUT ROWID/);
  const { credential } = prepareCredentialReads(drizzle(client));
  expect(planOf(client, credential.getQuery())).toEqual([
    "SEARCH credentials USING PRIMARY KEY (hash=?)",
    "SEARCH grants USING INTEGER PRIMARY KEY (rowid=?)",
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
