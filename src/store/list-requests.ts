import type { SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Page, PageQuery, Reads, RequestFilter, RequestWithGrant } from "../service/ports.ts";
import { and, desc, eq, lt } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { branchesOf, conditionsOf, type Branch } from "./request-filter.ts";
import { asRequestWithGrant, requestColumns, type RequestRow } from "./request-rows.ts";
import { grants, requests, requestScopes, requestSelectors } from "./schema.ts";
import type { Tables } from "./tables.ts";

/**
 * Lists requests, newest first. "What this person may see" is a union of what different indexes know (subject, asker,
 * each selector), which SQLite would sort as a whole for every page. So each branch is read by its own index, newest
 * first and no further than the page, and the branches are merged here.
 */
export function createRequestList(tables: Tables): Pick<Reads, "requests"> {
  return { requests: async (filter, page) => reading(() => pageOf(tables, filter, page)) };
}

function pageOf(tables: Tables, filter: RequestFilter, page: PageQuery): Page<RequestWithGrant> {
  const { limit, before } = page;
  const found = new Map<number, RequestRow>();
  for (const branch of branchesOf(filter)) {
    const rows = branchQuery(tables, branch, filter, before)
      .limit(limit + 1)
      .all();
    for (const row of rows) found.set(row.ord, row);
  }
  const newest = [...found.values()].toSorted((one, other) => other.ord - one.ord);
  const rows = newest.slice(0, limit);
  return {
    rows: rows.map(asRequestWithGrant),
    next: newest.length > limit ? (rows.at(-1)?.ord ?? null) : null,
  };
}

/** One branch, newest first; also for the test that looks at its query plan. */
export function branchQuery(tables: Tables, branch: Branch, filter: RequestFilter, before?: number) {
  const query = tables
    .select(requestColumns)
    .from(requests)
    .leftJoin(grants, eq(grants.id, requests.grantId));
  const where = (found: SQL | undefined, below: SQLiteColumn) =>
    and(found, before === undefined ? undefined : lt(below, before), ...conditionsOf(filter));
  switch (branch.by) {
    case "selector": {
      const { selector, requestOrd } = requestSelectors;
      return query
        .innerJoin(requestSelectors, eq(requestOrd, requests.ord))
        .where(where(eq(selector, branch.selector), requestOrd))
        .orderBy(desc(requestOrd));
    }
    case "scope":
      return query
        .innerJoin(requestScopes, eq(requestScopes.requestOrd, requests.ord))
        .where(where(eq(requestScopes.scope, branch.scope), requestScopes.requestOrd))
        .orderBy(desc(requestScopes.requestOrd));
    case "request":
    case "reports":
      return query.where(where(branch.where, requests.ord)).orderBy(desc(requests.ord));
  }
}
