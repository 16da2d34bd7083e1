import type { RequestFilter } from "../../../../service/ports/store.ts";
import { and, asc, gte, sql } from "drizzle-orm";
import type { TimeBounds } from "./request-branches.ts";
import { requests } from "../../tables/requests.ts";
import type { Db } from "../../tables/database.ts";

/**
 * Where a span of time begins and ends in the order of arrival, so that a page does not look at what lies outside. Undefined:
 * nothing was asked in it. Each row is still asked for its own time.
 */
export function prepareTimeBounds(db: Db): (filter: RequestFilter) => TimeBounds | undefined {
  const first = prepareFirstSince(db);
  return ({ since, until }) => {
    const from = since === undefined ? undefined : first.get({ since })?.ord;
    if (since !== undefined && from === undefined) return undefined;
    const end = until === undefined ? undefined : first.get({ since: until })?.ord;
    return {
      ...(from !== undefined && { above: from - 1 }),
      ...(end !== undefined && { below: end, outOfOrder: outOfOrderFrom(end) }),
    };
  };
}

/** The first request that was asked at this time or, if the clock had been later before, after such a one. */
export function prepareFirstSince(db: Db) {
  return db
    .select({ ord: requests.ord })
    .from(requests)
    .where(gte(requests.latestAt, sql.placeholder("since")))
    .orderBy(asc(requests.latestAt), asc(requests.ord))
    .limit(1)
    .prepare();
}

/** Asked behind others that carry a later time: the clock was lowered in between. There are hardly any. */
export function outOfOrderFrom(ord: number): NonNullable<TimeBounds["outOfOrder"]> {
  return {
    by: "request",
    where: and(sql`${requests.requestedAt} < ${requests.latestAt}`, gte(requests.ord, ord)),
  };
}
