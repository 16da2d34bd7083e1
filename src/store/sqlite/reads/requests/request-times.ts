import type { RequestFilter } from "../../../../service/ports/store.ts";
import { and, asc, gte, sql } from "drizzle-orm";
import type { TimeBounds } from "./request-branches.ts";
import { requests } from "../../tables/requests.ts";
import type { Db } from "../../tables/database.ts";

/**
 * Translates a time span into a range of the order of arrival, so that a page reads nothing outside it. Undefined: no
 * request was submitted in it. Each row's own time is still checked.
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

/** The first request submitted at or after this time, or after another request that was. */
export function prepareFirstSince(db: Db) {
  return db
    .select({ ord: requests.ord })
    .from(requests)
    .where(gte(requests.latestAt, sql.placeholder("since")))
    .orderBy(asc(requests.latestAt), asc(requests.ord))
    .limit(1)
    .prepare();
}

/** Requests that arrived after others with a later time, because the clock was set back. They are rare. */
export function outOfOrderFrom(ord: number): NonNullable<TimeBounds["outOfOrder"]> {
  return {
    by: "request",
    where: and(sql`${requests.requestedAt} < ${requests.latestAt}`, gte(requests.ord, ord)),
  };
}
