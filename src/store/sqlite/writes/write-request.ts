import { isOpen, type AccessRequest } from "../../../core/access/access-request.ts";
import { assert } from "../../../core/values/assert.ts";
import { hasStarted, type Grant, type StartedGrant } from "../../../core/access/grant.ts";
import type { Instant, RequestId } from "../../../core/values/ids.ts";
import { selectorKey, type Selector } from "../../../core/values/identity.ts";
import { isStranded } from "../../../core/access/stranded-request.ts";
import { and, eq, sql } from "drizzle-orm";
import { grants, requests, requestScopes, requestSelectors } from "../tables/schema.ts";
import { prepareReturning, prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";

/** Writes access requests, with every column that is derived from them. */
export function prepareRequestWrites(tables: Tables) {
  const statements = prepareStatements(tables);
  const statusColumns = prepareStatusColumns(tables);

  const addSelectors = (request: AccessRequest, requestOrd: number | bigint): void => {
    for (const { part, selectors } of selectorsOf(request)) {
      for (const selector of new Set(selectors.map(selectorKey))) {
        statements.addSelector.run({ selector, requestOrd, part });
      }
    }
  };

  const insert = (request: AccessRequest, row: RequestRow): void => {
    const { lastInsertRowid } = statements.insert.run(row);
    for (const scope of new Set(request.scopes))
      statements.addScope.run({ scope, requestOrd: lastInsertRowid });
    addSelectors(request, lastInsertRowid);
  };

  return {
    /** @param grant the one it led to, if the same step writes that too. */
    write: (request: AccessRequest, dueAt: Instant | null, version: number, grant?: Grant): undefined => {
      const row = { ...rowOf(request, dueAt, version), ...standingOf(request, grant) };
      if (version === 1) {
        insert(request, row);
      } else {
        const ord = statements.update.get(row);
        assert(ord !== undefined, `the row of ${request.id} is there`);
        // Stages are only added, and only while votes are given.
        if (isOpen(request)) addSelectors(request, ord);
      }
      if (request.phase === "CLAIMED" && grant === undefined) statusColumns.follow(request.id);
      else statusColumns.spread(request.id);
    },
  };
}

/** `status` and `lapsesAt`: once its access has started they are those of the grant. */
function standingOf(
  request: AccessRequest,
  grant: Grant | undefined,
): Pick<RequestRow, "status" | "lapsesAt"> {
  if (hasStarted(grant)) return statusUnder(grant);
  // A claimed request without a grant failed to get one.
  return { status: request.phase === "CLAIMED" ? "FAILED" : request.phase, lapsesAt: lapseOf(request) };
}

function statusUnder({ phase, expiresAt }: StartedGrant): Pick<RequestRow, "status" | "lapsesAt"> {
  return { status: phase, lapsesAt: phase === "ACTIVE" ? expiresAt : null };
}

/** Keeps that so when only one of the two is written. */
export function prepareStatusColumns(tables: Tables) {
  const id = placeholder("id", requests.id);
  const ofGrant = eq(grants.id, requests.grantId);
  const follow = prepareWrite(
    tables,
    tables
      .update(requests)
      .set({
        status: sql`(SELECT ${grants.phase} FROM ${grants} WHERE ${ofGrant})`,
        lapsesAt: sql`(SELECT CASE ${grants.phase} WHEN 'ACTIVE' THEN ${grants.expiresAt} END FROM ${grants} WHERE ${ofGrant})`,
      })
      .where(and(eq(requests.id, id), sql`EXISTS (SELECT 1 FROM ${grants} WHERE ${ofGrant})`)),
  );
  const put = prepareWrite(
    tables,
    tables
      .update(requests)
      .set({
        status: placeholder("status", requests.status),
        lapsesAt: placeholder("lapsesAt", requests.lapsesAt),
      })
      .where(eq(requests.id, id)),
  );
  const spread = prepareStatusSpread(tables);
  return {
    /** After the status of a request was written. */
    spread,
    /** After the request was written: what its grant, if there is one, has made of it. */
    follow: (requestId: RequestId): void => {
      follow.run({ id: requestId });
      spread(requestId);
    },
    /** After the grant was written. */
    put: (grant: Grant): void => {
      // Before it starts it is the request that tells.
      if (!hasStarted(grant)) return;
      put.run({ id: grant.requestId, ...statusUnder(grant) });
      spread(grant.requestId);
    },
  };
}

/** Lists are read by scope or selector together with the status, so those rows have it too. */
function prepareStatusSpread(tables: Tables): (id: RequestId) => void {
  const id = placeholder("id", requests.id);
  const ord = sql`(SELECT ${requests.ord} FROM ${requests} WHERE ${requests.id} = ${id})`;
  const status = sql`(SELECT ${requests.status} FROM ${requests} WHERE ${requests.id} = ${id})`;
  const statements = [requestScopes, requestSelectors].map((table) =>
    prepareWrite(
      tables,
      tables
        .update(table)
        .set({ status })
        .where(and(eq(table.requestOrd, ord), sql`${table.status} <> ${status}`)),
    ),
  );
  return (requestId) => {
    for (const statement of statements) statement.run({ id: requestId });
  };
}

type RequestRow = Omit<typeof requests.$inferInsert, "ord" | "latestAt">;

function rowOf(
  request: AccessRequest,
  dueAt: Instant | null,
  version: number,
): Omit<RequestRow, "status" | "lapsesAt"> {
  const { breakGlass } = request;
  const lastReview = breakGlass?.reviews.at(-1);
  return {
    id: request.id,
    version,
    value: request,
    subjectId: request.subjectId,
    requestedById: request.requestedById,
    requestedAt: request.requestedAt,
    dueAt,
    grantId: request.grantId,
    extendsGrantId: request.extension?.grantId ?? null,
    strandedSince: isStranded(request) ? (request.stranded?.since ?? null) : null,
    deniedAt: request.phase === "DENIED" ? request.endedAt : null,
    brokeGlass: breakGlass !== undefined && request.phase === "CLAIMED",
    justifiedAt: lastReview?.outcome === "justified" ? lastReview.at : null,
  };
}

function lapseOf(request: AccessRequest): Instant | null {
  if (request.phase === "PENDING") return request.approvalDeadline;
  return request.phase === "APPROVED" ? request.claimDeadline : null;
}

function selectorsOf(request: AccessRequest): readonly {
  readonly part: "stage" | "review";
  readonly selectors: readonly Selector[];
}[] {
  const stages = request.requirement.demands.flatMap((demand) => demand.stages);
  return [
    { part: "stage", selectors: stages.flatMap((stage) => [...stage.approvers, ...stage.escalateTo.flat()]) },
    { part: "review", selectors: request.breakGlass?.review.by ?? [] },
  ];
}

function prepareStatements(tables: Tables) {
  const changing = {
    version: placeholder("version", requests.version),
    status: placeholder("status", requests.status),
    lapsesAt: placeholder("lapsesAt", requests.lapsesAt),
    dueAt: placeholder("dueAt", requests.dueAt),
    grantId: placeholder("grantId", requests.grantId),
    strandedSince: placeholder("strandedSince", requests.strandedSince),
    deniedAt: placeholder("deniedAt", requests.deniedAt),
    brokeGlass: placeholder("brokeGlass", requests.brokeGlass),
    justifiedAt: placeholder("justifiedAt", requests.justifiedAt),
    value: placeholder("value", requests.value),
  };
  const fixed = {
    id: placeholder("id", requests.id),
    subjectId: placeholder("subjectId", requests.subjectId),
    requestedById: placeholder("requestedById", requests.requestedById),
    requestedAt: placeholder("requestedAt", requests.requestedAt),
    extendsGrantId: placeholder("extendsGrantId", requests.extendsGrantId),
  };
  const latestBefore = sql`(SELECT max(${requests.latestAt}) FROM ${requests})`;
  const latestAt = sql`max(${fixed.requestedAt}, coalesce(${latestBefore}, 0))`;
  const requestOrd = placeholder("requestOrd", requestScopes.requestOrd);
  return {
    insert: prepareWrite(tables, tables.insert(requests).values({ ...fixed, ...changing, latestAt })),
    update: prepareReturning<number>(
      tables,
      tables.update(requests).set(changing).where(eq(requests.id, fixed.id)).returning({ ord: requests.ord }),
    ),
    addScope: prepareWrite(
      tables,
      tables.insert(requestScopes).values({ scope: placeholder("scope", requestScopes.scope), requestOrd }),
    ),
    addSelector: prepareWrite(
      tables,
      tables
        .insert(requestSelectors)
        .values({
          selector: placeholder("selector", requestSelectors.selector),
          requestOrd,
          part: placeholder("part", requestSelectors.part),
        })
        .onConflictDoNothing(),
    ),
  };
}
