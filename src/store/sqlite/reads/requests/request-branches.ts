import type { SQL } from "drizzle-orm";
import type { Instant, Scope } from "../../../../core/values/ids.ts";
import type { RequestFilter, Viewer } from "../../../../service/ports/store.ts";
import { and, eq, lte, sql } from "drizzle-orm";
import { isNamedAsManager, isReport, selectorTexts, type SelectorRole } from "./request-filter.ts";
import { requests } from "../../tables/requests.ts";

/** Requests that one index returns in the order of arrival. */
export type Branch =
  | { readonly by: "request"; readonly where: SQL | undefined }
  /**
   * Requests that no index returns in order, but few enough to sort: those of the people a viewer manages, and those
   * that time has ended before a sweep. If `among` matches too many, `otherwise` is read, which contains them all.
   */
  | {
      readonly by: "few";
      readonly where: SQL | undefined;
      readonly among: SQL | undefined;
      readonly otherwise: readonly Branch[];
    }
  | {
      readonly by: "selector";
      readonly selector: string;
      readonly part: SelectorRole;
      readonly status?: string;
    }
  | { readonly by: "scope"; readonly scope: Scope; readonly status?: string };

/** A part of the order of arrival, without both ends. */
export interface Range {
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

/** The submissions in a time span. `outOfOrder`: those that a clock set back has put outside the range. */
export interface TimeBounds extends Range {
  readonly outOfOrder?: Branch;
}

/** Sets of branches. Each set contains every match, so the smallest is the best one to read. */
export type AccessPaths = readonly (readonly Branch[])[];

/** The parts of a filter, each with its access paths. A request is in one part only. */
export function accessPathsOf(filter: RequestFilter): readonly AccessPaths[] {
  const { status, now } = filter;
  if (status === undefined) return [accessPathsTo(filter, undefined)];
  const lapsed = lapsingInto(status).map((written): AccessPaths => {
    const where = hasLapsed(written, now);
    return [[{ by: "few", where, among: where, otherwise: [byRequest(isWritten(written))] }]];
  });
  return [accessPathsTo(filter, status), ...lapsed];
}

function accessPathsTo(filter: RequestFilter, status: string | undefined): AccessPaths {
  const { visibleTo, approver, reviewer, subjectId, scope } = filter;
  const paths = [
    ...(subjectId === undefined
      ? []
      : [[byRequest(and(eq(requests.subjectId, subjectId), isWritten(status)))]]),
    ...(scope === undefined ? [] : [[{ by: "scope", scope, ...withStatus(status) } as const]]),
    ...(approver === undefined ? [] : [bySelectors(approver, ["stage"], status)]),
    ...(reviewer === undefined ? [] : [bySelectors(reviewer, ["review"], status)]),
    ...(visibleTo === undefined ? [] : [visible(visibleTo, status)]),
  ];
  return paths.length > 0 ? paths : [[byRequest(isWritten(status))]];
}

/** Whether a branch contains rows that the filter excludes, so that a page may have to skip many. */
export function isNarrowed({ visibleTo, approver, reviewer, subjectId, scope }: RequestFilter): boolean {
  if (approver !== undefined || reviewer !== undefined) return true;
  return [visibleTo, subjectId, scope].filter((one) => one !== undefined).length > 1;
}

/** Written statuses that are `status` once time has ended them (docs/lifecycle.md). */
function lapsingInto(status: string): readonly string[] {
  if (status === "TIMED_OUT") return ["PENDING", "APPROVED"];
  return status === "EXPIRED" ? ["ACTIVE"] : [];
}

export function hasLapsed(status: string, now: Instant): SQL | undefined {
  return and(eq(requests.status, status), sql`${requests.lapsesAt} IS NOT NULL`, lte(requests.lapsesAt, now));
}

function isWritten(status: string | undefined): SQL | undefined {
  return status === undefined ? undefined : sql`${requests.status} = ${status}`;
}

function withStatus(status: string | undefined): { readonly status?: string } {
  return status === undefined ? {} : { status };
}

function byRequest(where: SQL | undefined): Branch {
  return { by: "request", where };
}

function visible(viewer: Viewer, status: string | undefined): readonly Branch[] {
  const own = [requests.subjectId, requests.requestedById].map((column) =>
    byRequest(and(eq(column, viewer.id), isWritten(status))),
  );
  return [...own, ...bySelectors(viewer, ["stage", "review"], status)];
}

function bySelectors(
  viewer: Viewer,
  parts: readonly SelectorRole[],
  status: string | undefined,
): readonly Branch[] {
  const named = selectorTexts(viewer).flatMap((selector) =>
    parts.map((part): Branch => ({ by: "selector", selector, part, ...withStatus(status) })),
  );
  const among = and(isReport(viewer), isWritten(status));
  const asManager = parts.map((part): Branch => ({
    by: "selector",
    selector: "manager",
    part,
    ...withStatus(status),
  }));
  return [...named, { by: "few", where: and(among, isNamedAsManager()), among, otherwise: asManager }];
}
