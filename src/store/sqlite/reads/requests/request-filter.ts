import type { SQL, SQLWrapper } from "drizzle-orm";
import type { Instant, Scope } from "../../../../core/values/ids.ts";
import { formatSelector, parseSelector } from "../../../../core/values/identity.ts";
import type { RequestFilter, Viewer } from "../../../../service/ports/store.ts";
import { and, eq, gt, gte, inArray, isNull, lt, lte, ne, or, sql } from "drizzle-orm";
import { identities } from "../../tables/identities.ts";
import { requestScopes } from "../../tables/request-scopes.ts";
import { requestSelectors } from "../../tables/request-selectors.ts";
import { requests } from "../../tables/requests.ts";

/** What every row must meet, whichever branch found it. `since` is inclusive, `until` is not. */
export function conditionsOf(filter: RequestFilter): readonly (SQL | undefined)[] {
  const { visibleTo, approver, reviewer, subjectId, scope, status, since, until, now } = filter;
  return [
    visibleTo &&
      or(eq(requests.subjectId, visibleTo.id), eq(requests.requestedById, visibleTo.id), isNamed(visibleTo)),
    approver && isNamed(approver, "stage"),
    reviewer && isNamed(reviewer, "review"),
    // Nobody decides on their own requests.
    approver && isOfOthers(approver),
    reviewer && isOfOthers(reviewer),
    subjectId && eq(requests.subjectId, subjectId),
    scope && hasScope(scope),
    since === undefined ? undefined : gte(requests.requestedAt, since),
    until === undefined ? undefined : lt(requests.requestedAt, until),
    status === undefined ? undefined : or(...readingAs(status, now, sql`+${requests.status}`)),
  ];
}

/** Statuses that the clock can end. */
const openStatuses: ReadonlySet<string> = new Set(["PENDING", "APPROVED", "ACTIVE"]);

/**
 * Rows whose status is `status` by the clock, whatever the sweeps have written (docs/lifecycle.md). As a filter it gets
 * `+status`, for which SQLite uses no index: otherwise a common status would win over the index of one person.
 */
function readingAs(
  status: string,
  now: Instant,
  column: SQLWrapper = requests.status,
): readonly (SQL | undefined)[] {
  const written = sql`${column} = ${status}`;
  const lapsed = (from: string) => and(sql`${column} = ${from}`, lte(requests.lapsesAt, now));
  if (openStatuses.has(status))
    return [and(written, or(isNull(requests.lapsesAt), gt(requests.lapsesAt, now)))];
  if (status === "TIMED_OUT") return [written, lapsed("PENDING"), lapsed("APPROVED")];
  return status === "EXPIRED" ? [written, lapsed("ACTIVE")] : [written];
}

function isOfOthers(viewer: Viewer): SQL | undefined {
  return and(ne(requests.subjectId, viewer.id), ne(requests.requestedById, viewer.id));
}

/** Where a request names people: as approvers, or as reviewers of break-glass. */
export type SelectorRole = "stage" | "review";

/** Whether the request names one of the viewer's selectors, in one part or in any. */
function isNamed(viewer: Viewer, part?: SelectorRole): SQL | undefined {
  const texts = selectorTexts(viewer);
  const own =
    texts.length === 0
      ? undefined
      : hasSelector(and(inArray(requestSelectors.selector, texts), inPart(part)));
  return or(own, and(isReport(viewer), isNamedAsManager(part)));
}

export function isNamedAsManager(part?: SelectorRole): SQL {
  return hasSelector(and(eq(requestSelectors.selector, "manager"), inPart(part)));
}

/** Whether the viewer is the subject's manager at the moment. */
export function isReport(viewer: Viewer): SQL {
  return sql`${requests.subjectId} IN (SELECT ${identities.id} FROM ${identities} WHERE ${identities.managerId} = ${viewer.id})`;
}

function inPart(part: SelectorRole | undefined): SQL | undefined {
  return part === undefined ? undefined : eq(requestSelectors.part, part);
}

function hasSelector(which: SQL | undefined): SQL {
  return sql`EXISTS (SELECT 1 FROM ${requestSelectors} WHERE ${and(which, eq(requestSelectors.requestOrd, requests.ord))})`;
}

function hasScope(scope: Scope): SQL {
  const which = and(eq(requestScopes.scope, scope), eq(requestScopes.requestOrd, requests.ord));
  return sql`EXISTS (SELECT 1 FROM ${requestScopes} WHERE ${which})`;
}

/** The viewer's selectors as they are stored: addresses in lower case. */
export function selectorTexts(viewer: Viewer): readonly string[] {
  return viewer.selectors.map((text) => {
    const selector = parseSelector(text);
    return selector === undefined ? text : formatSelector(selector);
  });
}
