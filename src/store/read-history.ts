import type { Instant, Scope } from "../core/ids.ts";
import { plus } from "../core/time.ts";
import type { Reads } from "../service/ports.ts";
import { prepareUsage } from "./counting.ts";
import { and, desc, eq, lt, or } from "./drizzle.ts";
import { reading } from "./faults.ts";
import { answers, grantScopes, requests } from "./schema.ts";
import { hole, type Tables } from "./tables.ts";

/** How far a look at the past counts: the newest this many. */
const countedMax = 10_000;

/** What happened before: uses of limits, a person's past, answers already given. */
export function createHistoryReads(tables: Tables): Pick<Reads, "used" | "history" | "answer"> {
  const usage = prepareUsage(tables);
  const past = prepareHistoryReads(tables);
  const answer = tables
    .select()
    .from(answers)
    .where(
      and(
        eq(answers.keyId, hole("keyId", answers.keyId)),
        eq(answers.call, hole("call", answers.call)),
        eq(answers.idempotencyKey, hole("idempotencyKey", answers.idempotencyKey)),
      ),
    )
    .prepare();
  return {
    used: async (key, now, windowMs) =>
      reading(() => usage.used(key, windowMs === undefined ? undefined : plus(now, -windowMs))),
    history: async (subjectId, scopes, before) =>
      reading(() => {
        const starts = new Map<Scope, readonly Instant[]>(
          scopes.map((scope) => [scope, past.starts.all({ subjectId, scope, before }).map((row) => row.at)]),
        );
        return {
          startedAt: (scope) => starts.get(scope) ?? [],
          deniedAt: past.denials.all({ subjectId, before }).flatMap((row) => row.at ?? []),
          requestedAt: past.requests.all({ subjectId, before }).map((row) => row.at),
        };
      }),
    answer: async (keyId, call, idempotencyKey) => reading(() => answer.get({ keyId, call, idempotencyKey })),
  };
}

/** Newest first. Also for the test that looks at their query plans. */
export function prepareHistoryReads(tables: Tables) {
  const before = hole("before", requests.requestedAt);
  const ofSubject = eq(requests.subjectId, hole("subjectId", requests.subjectId));
  return {
    starts: tables
      .select({ at: grantScopes.startedAt })
      .from(grantScopes)
      .leftJoin(requests, and(eq(grantScopes.breakGlass, true), eq(requests.id, grantScopes.requestId)))
      .where(
        and(
          eq(grantScopes.subjectId, hole("subjectId", grantScopes.subjectId)),
          eq(grantScopes.scope, hole("scope", grantScopes.scope)),
          lt(grantScopes.startedAt, before),
          or(eq(grantScopes.breakGlass, false), lt(requests.justifiedAt, before)),
        ),
      )
      .orderBy(desc(grantScopes.startedAt))
      .limit(countedMax)
      .prepare(),
    denials: tables
      .select({ at: requests.deniedAt })
      .from(requests)
      .where(and(ofSubject, lt(requests.deniedAt, before)))
      .orderBy(desc(requests.deniedAt))
      .limit(countedMax)
      .prepare(),
    requests: tables
      .select({ at: requests.requestedAt })
      .from(requests)
      .where(and(ofSubject, lt(requests.requestedAt, before)))
      .orderBy(desc(requests.requestedAt))
      .limit(countedMax)
      .prepare(),
  };
}
