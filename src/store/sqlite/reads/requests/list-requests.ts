import type { SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type {
  Page,
  PageQuery,
  Reads,
  RequestFilter,
  RequestWithGrant,
} from "../../../../service/ports/store.ts";
import { and, desc, eq, gt, lt, sql } from "drizzle-orm";
import {
  isNarrowed,
  accessPathsOf,
  type Branch,
  type Range,
  type TimeBounds,
  type AccessPaths,
} from "./request-branches.ts";
import { conditionsOf } from "./request-filter.ts";
import { asRequestWithGrant, requestColumns, type RequestRow } from "./request-rows.ts";
import { grants } from "../../tables/grants.ts";
import { requestScopes } from "../../tables/request-scopes.ts";
import { requestSelectors } from "../../tables/request-selectors.ts";
import { requests } from "../../tables/requests.ts";
import { prepareTimeBounds } from "./request-times.ts";
import type { Db } from "../../tables/database.ts";

/** The most rows that one page reads when it has to skip some. */
const visitedMax = 2_000;

/**
 * Lists requests, newest first. "What this person may see" is a union over several indexes (subject, requester, each
 * selector), which SQLite would sort as a whole for every page. So each branch is read by its own index, newest first
 * and no further than the page, and the branches are merged here. If no index covers the combined filters, a page ends
 * after a fixed number of rows, and the next page continues from there.
 */
export function createRequestList(db: Db): Pick<Reads, "requests"> {
  const boundsOf = prepareTimeBounds(db);
  return {
    requests: async (filter, page) => pageOf(db, filter, page, boundsOf(filter)),
  };
}

const nothing: Page<RequestWithGrant> = { rows: [], next: null };

function pageOf(
  db: Db,
  filter: RequestFilter,
  { limit, before }: PageQuery,
  bounds: TimeBounds | undefined,
): Page<RequestWithGrant> {
  if (bounds === undefined) return nothing;
  const { outOfOrder, ...inTime } = bounds;
  const range = { ...inTime, below: lower(inTime.below, before) };
  const parts = accessPathsOf(filter).map((paths) => choosePath(db, paths, range, isNarrowed(filter)));
  const late = outOfOrder === undefined ? [] : [choosePath(db, [[outOfOrder]], { below: before }, true)];
  const floor = Math.max(...[...parts, ...late].map((part) => part.floor));
  const found = new Map<number, RequestRow>();
  for (const { branches, within } of [...parts, ...late]) {
    for (const branch of branches) {
      const above = floor === 0 ? within.above : Math.max(floor, within.above ?? 0);
      const query = branchQuery(db, branch, filter, { ...within, above }).limit(limit + 1);
      for (const row of query.all()) found.set(row.ord, row);
    }
  }
  const newest = [...found.values()].toSorted((one, other) => other.ord - one.ord);
  const rows = newest.slice(0, limit);
  const rest = floor > 0 ? floor + 1 : null;
  return {
    rows: rows.map(asRequestWithGrant),
    next: newest.length > limit ? (rows.at(-1)?.ord ?? null) : rest,
  };
}

interface ChosenPath {
  readonly branches: readonly Branch[];
  readonly within: Range;
  /** No row below this number is read; 0: all are. */
  readonly floor: number;
}

/** The first access path that reads few rows, else the first one, with a floor where it stops. */
function choosePath(db: Db, given: AccessPaths, within: Range, isNarrow: boolean): ChosenPath {
  const paths = given.map((branches) => branches.flatMap((one) => withoutLargeSort(db, one)));
  const isAsGiven = paths.every((branches, index) =>
    branches.every((one) => given[index]?.includes(one) === true),
  );
  if (!isNarrow && isAsGiven) return { branches: paths[0] ?? [], within, floor: 0 };
  const bounded = paths.map((branches) => {
    const share = Math.ceil(visitedMax / branches.length);
    return {
      branches,
      within,
      floor: Math.max(...branches.map((one) => floorOf(db, one, within, share))),
    };
  });
  return bounded.find(({ floor }) => floor === 0) ?? bounded[0] ?? { branches: [], within, floor: 0 };
}

function withoutLargeSort(db: Db, branch: Branch): readonly Branch[] {
  if (branch.by !== "few") return [branch];
  const { ord } = requests;
  const more = db.select({ ord }).from(requests).where(branch.among).limit(1).offset(visitedMax).all();
  return more.length === 0 ? [branch] : branch.otherwise;
}

/** The number of the row after `share` rows of this branch; 0 if there are not so many. */
function floorOf(db: Db, branch: Branch, within: Range, share: number): number {
  const [row] = orderQuery(db, branch, within).limit(1).offset(share).all();
  return row?.ord ?? 0;
}

function lower(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}

function isWithin({ above, below }: Range, ord: SQLiteColumn): SQL | undefined {
  return and(
    above === undefined ? undefined : gt(ord, above),
    below === undefined ? undefined : lt(ord, below),
  );
}

/** One branch, newest first. Also for the test of its query plan. */
export function branchQuery(db: Db, branch: Branch, filter: RequestFilter, within: Range) {
  const query = db.select(requestColumns).from(requests).leftJoin(grants, eq(grants.id, requests.grantId));
  const { key, ord } = keyOf(branch);
  const where = and(key, isWithin(within, ord), ...conditionsOf(filter));
  switch (branch.by) {
    case "selector":
      return query
        .innerJoin(requestSelectors, eq(requestSelectors.requestOrd, requests.ord))
        .where(where)
        .orderBy(desc(ord));
    case "scope":
      return query
        .innerJoin(requestScopes, eq(requestScopes.requestOrd, requests.ord))
        .where(where)
        .orderBy(desc(ord));
    case "request":
      return query.where(where).orderBy(desc(ord));
    case "few":
      return query.where(where).orderBy(sql`+${ord} DESC`);
  }
}

/** Only the numbers of a branch's rows, from its index. Also for the test of its query plan. */
export function orderQuery(db: Db, branch: Branch, within: Range) {
  const { key, ord } = keyOf(branch);
  const table =
    branch.by === "selector" ? requestSelectors : branch.by === "scope" ? requestScopes : requests;
  return db
    .select({ ord: sql<number>`${ord}` })
    .from(table)
    .where(and(key, isWithin(within, ord)))
    .orderBy(branch.by === "few" ? sql`+${ord} DESC` : desc(ord));
}

function keyOf(branch: Branch): { readonly key: SQL | undefined; readonly ord: SQLiteColumn } {
  switch (branch.by) {
    case "selector": {
      const { selector, part, status, requestOrd } = requestSelectors;
      const isStatus = branch.status === undefined ? undefined : eq(status, branch.status);
      return { key: and(eq(selector, branch.selector), eq(part, branch.part), isStatus), ord: requestOrd };
    }
    case "scope": {
      const { scope, status, requestOrd } = requestScopes;
      const isStatus = branch.status === undefined ? undefined : eq(status, branch.status);
      return { key: and(eq(scope, branch.scope), isStatus), ord: requestOrd };
    }
    case "request":
    case "few":
      return { key: branch.where, ord: requests.ord };
  }
}
