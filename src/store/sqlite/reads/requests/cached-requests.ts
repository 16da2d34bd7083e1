import type { RequestWithGrant, Step, Versioned } from "../../../../service/ports/store.ts";
import { eq } from "drizzle-orm";
import { asRequestWithGrant, requestColumns } from "./request-rows.ts";
import { grants, requests } from "../../tables/schema.ts";
import type { ReadCache } from "../../../shared/read-cache.ts";
import { grantWritten, requestWritten, versionAfter, versionExpected } from "../../../shared/step-records.ts";
import { placeholder, type Tables } from "../../tables/placeholders.ts";

/**
 * Requests one by one, each with the grant it led to, as last read or written: a change is looked at at once by whoever
 * answers, by who tells of it, and by the next who decides.
 */
export function rememberRequests(
  tables: Tables,
  readCache: ReadCache,
): (id: string) => RequestWithGrant | undefined {
  const statement = prepareRequest(tables);
  return readCache.cached(
    "requests",
    (id) => {
      const row = statement.get({ id });
      return row === undefined ? undefined : asRequestWithGrant(row);
    },
    requestAfter,
  );
}

/** Also for the test that looks at its query plan. */
export function prepareRequest(tables: Tables) {
  return tables
    .select(requestColumns)
    .from(requests)
    .leftJoin(grants, eq(grants.id, requests.grantId))
    .where(eq(requests.id, placeholder("id", requests.id)))
    .prepare();
}

/**
 * What a step that is on disk has made of a request. Each half is either what the step wrote, or of the very version that
 * the step was checked against when it was written; otherwise nobody here knows.
 */
function requestAfter(
  id: string,
  before: RequestWithGrant | undefined,
  step: Step,
): RequestWithGrant | undefined {
  const request =
    versioned("request", requestWritten(step, id), step) ?? checked("request", before?.request, step);
  if (request === undefined) return undefined;
  const { grantId } = request.value;
  if (grantId === null) return { request, grant: undefined };
  const grant =
    versioned("grant", grantWritten(step, grantId), step) ?? checked("grant", before?.grant, step);
  return grant?.value.id === grantId ? { request, grant } : undefined;
}

function versioned<T extends { readonly id: string }>(
  kind: "request" | "grant",
  value: T | undefined,
  step: Step,
): Versioned<T> | undefined {
  return value && { value, version: versionAfter(step, kind, value.id) };
}

function checked<T extends { readonly id: string }>(
  kind: "request" | "grant",
  before: Versioned<T> | undefined,
  step: Step,
): Versioned<T> | undefined {
  if (before === undefined) return undefined;
  return versionExpected(step, kind, before.value.id) === before.version ? before : undefined;
}
