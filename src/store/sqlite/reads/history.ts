import type { SQLWrapper } from "drizzle-orm";
import type { Instant, Scope } from "../../../core/values/ids.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { and, desc, eq, lt, or, sql } from "drizzle-orm";
import { grantScopes } from "../tables/grant-scopes.ts";
import { requests } from "../tables/requests.ts";
import type { Db } from "../tables/database.ts";

/** How many of the newest events of one kind count. */
const countedMax = 10_000;

/** What happened to a person before: starts of access, denials and requests. */
export function createHistoryReads(db: Db): Pick<Reads, "history"> {
  const past = prepareHistoryReads(db);
  return {
    history: async (subjectId, scopes, before) => {
      const starts = new Map<Scope, readonly Instant[]>(
        scopes.map((scope) => [scope, past.starts.get({ subjectId, scope, before })?.all ?? []]),
      );
      return {
        startedAt: (scope) => starts.get(scope) ?? [],
        deniedAt: past.denials.get({ subjectId, before })?.all ?? [],
        requestedAt: past.requests.get({ subjectId, before })?.all ?? [],
      };
    },
  };
}

/** All the instants of one kind in one row, because there can be thousands. Also for the test of their query plans. */
export function prepareHistoryReads(db: Db) {
  const before = sql.placeholder("before");
  const ofSubject = eq(requests.subjectId, sql.placeholder("subjectId"));
  const starts = db
    .select({ at: grantScopes.startedAt })
    .from(grantScopes)
    .leftJoin(requests, and(eq(grantScopes.breakGlass, true), eq(requests.id, grantScopes.requestId)))
    .where(
      and(
        eq(grantScopes.subjectId, sql.placeholder("subjectId")),
        eq(grantScopes.scope, sql.placeholder("scope")),
        lt(grantScopes.startedAt, before),
        or(eq(grantScopes.breakGlass, false), lt(requests.justifiedAt, before)),
      ),
    )
    .orderBy(desc(grantScopes.startedAt))
    .limit(countedMax)
    .as("starts");
  const denials = db
    .select({ at: requests.deniedAt })
    .from(requests)
    .where(and(ofSubject, lt(requests.deniedAt, before)))
    .orderBy(desc(requests.deniedAt))
    .limit(countedMax)
    .as("denials");
  const submissions = db
    .select({ at: requests.requestedAt })
    .from(requests)
    .where(and(ofSubject, lt(requests.requestedAt, before)))
    .orderBy(desc(requests.requestedAt))
    .limit(countedMax)
    .as("submissions");
  return {
    starts: db
      .select({ all: inOneRow(starts.at) })
      .from(starts)
      .prepare(),
    denials: db
      .select({ all: inOneRow(denials.at) })
      .from(denials)
      .prepare(),
    requests: db
      .select({ all: inOneRow(submissions.at) })
      .from(submissions)
      .prepare(),
  };
}

function inOneRow(at: SQLWrapper) {
  return sql`json_group_array(${at})`.mapWith((json: string): readonly Instant[] => JSON.parse(json));
}
