import type { SQLWrapper } from "drizzle-orm";
import type { Instant, Scope } from "../../../core/values/ids.ts";
import { plus } from "../../../core/values/time.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { prepareUsage } from "./read-usage.ts";
import { and, desc, eq, lt, or, sql } from "drizzle-orm";
import { translateErrors } from "../tables/sqlite-faults.ts";
import { idempotencyRecords, grantScopes, requests } from "../tables/schema.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** How far a look at the past counts: the newest this many. */
const countedMax = 10_000;

/** What happened before: uses of limits, a person's past, answers already given. */
export function createHistoryReads(tables: Tables): Pick<Reads, "used" | "history" | "idempotencyRecord"> {
  const usage = prepareUsage(tables);
  const past = prepareHistoryReads(tables);
  const findIdempotencyRecord = tables
    .select()
    .from(idempotencyRecords)
    .where(
      and(
        eq(idempotencyRecords.keyId, placeholder("keyId", idempotencyRecords.keyId)),
        eq(idempotencyRecords.call, placeholder("call", idempotencyRecords.call)),
        eq(
          idempotencyRecords.idempotencyKey,
          placeholder("idempotencyKey", idempotencyRecords.idempotencyKey),
        ),
      ),
    )
    .prepare();
  return {
    used: async (key, now, windowMs) =>
      translateErrors(() => usage.used(key, windowMs === undefined ? undefined : plus(now, -windowMs))),
    history: async (subjectId, scopes, before) =>
      translateErrors(() => {
        const starts = new Map<Scope, readonly Instant[]>(
          scopes.map((scope) => [scope, past.starts.get({ subjectId, scope, before })?.all ?? []]),
        );
        return {
          startedAt: (scope) => starts.get(scope) ?? [],
          deniedAt: past.denials.get({ subjectId, before })?.all ?? [],
          requestedAt: past.requests.get({ subjectId, before })?.all ?? [],
        };
      }),
    idempotencyRecord: async (keyId, call, idempotencyKey) =>
      translateErrors(() => findIdempotencyRecord.get({ keyId, call, idempotencyKey })),
  };
}

/**
 * All the instants of one kind in one row, for there can be thousands. Also for the test that looks at their query plans.
 */
export function prepareHistoryReads(tables: Tables) {
  const before = placeholder("before", requests.requestedAt);
  const ofSubject = eq(requests.subjectId, placeholder("subjectId", requests.subjectId));
  const starts = tables
    .select({ at: grantScopes.startedAt })
    .from(grantScopes)
    .leftJoin(requests, and(eq(grantScopes.breakGlass, true), eq(requests.id, grantScopes.requestId)))
    .where(
      and(
        eq(grantScopes.subjectId, placeholder("subjectId", grantScopes.subjectId)),
        eq(grantScopes.scope, placeholder("scope", grantScopes.scope)),
        lt(grantScopes.startedAt, before),
        or(eq(grantScopes.breakGlass, false), lt(requests.justifiedAt, before)),
      ),
    )
    .orderBy(desc(grantScopes.startedAt))
    .limit(countedMax)
    .as("starts");
  const denials = tables
    .select({ at: requests.deniedAt })
    .from(requests)
    .where(and(ofSubject, lt(requests.deniedAt, before)))
    .orderBy(desc(requests.deniedAt))
    .limit(countedMax)
    .as("denials");
  const submissions = tables
    .select({ at: requests.requestedAt })
    .from(requests)
    .where(and(ofSubject, lt(requests.requestedAt, before)))
    .orderBy(desc(requests.requestedAt))
    .limit(countedMax)
    .as("submissions");
  return {
    starts: tables
      .select({ all: inOneRow(starts.at) })
      .from(starts)
      .prepare(),
    denials: tables
      .select({ all: inOneRow(denials.at) })
      .from(denials)
      .prepare(),
    requests: tables
      .select({ all: inOneRow(submissions.at) })
      .from(submissions)
      .prepare(),
  };
}

function inOneRow(at: SQLWrapper) {
  return sql`json_group_array(${at})`.mapWith((json: string): readonly Instant[] => JSON.parse(json));
}
