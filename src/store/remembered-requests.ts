import type { GrantId } from "../core/ids.ts";
import type { Grant } from "../core/grant.ts";
import type { AccessRequest } from "../core/access-request.ts";
import type { RequestWithGrant, Step, Versioned } from "../service/ports.ts";
import { eq } from "./drizzle.ts";
import { asRequestWithGrant, requestColumns } from "./request-rows.ts";
import { grants, requests } from "./schema.ts";
import type { SinceChange } from "./since-change.ts";
import { versionAfter, versionExpected } from "./step-soundness.ts";
import { hole, type Tables } from "./tables.ts";

/**
 * Requests one by one, each with the grant it led to, as last read or written: a change is looked at at once by whoever
 * answers, by who tells of it, and by the next who decides.
 */
export function rememberRequests(
  tables: Tables,
  sinceChange: SinceChange,
): (id: string) => RequestWithGrant | undefined {
  const statement = prepareRequest(tables);
  return sinceChange.remembering(
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
    .where(eq(requests.id, hole("id", requests.id)))
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
  const request = writtenRequest(id, step) ?? checked("request", before?.request, step);
  if (request === undefined) return undefined;
  const { grantId } = request.value;
  if (grantId === null) return { request, grant: undefined };
  const grant = writtenGrant(grantId, step) ?? checked("grant", before?.grant, step);
  return grant?.value.id === grantId ? { request, grant } : undefined;
}

function writtenRequest(id: string, step: Step): Versioned<AccessRequest> | undefined {
  for (const write of step.writes) {
    if (write.kind !== "request" || write.value.id !== id) continue;
    return { value: write.value, version: versionAfter(step, "request", id) };
  }
  return undefined;
}

function writtenGrant(id: GrantId, step: Step): Versioned<Grant> | undefined {
  for (const write of step.writes) {
    if (write.kind !== "grant" || write.value.id !== id) continue;
    return { value: write.value, version: versionAfter(step, "grant", id) };
  }
  return undefined;
}

function checked<T extends { readonly id: string }>(
  kind: "request" | "grant",
  before: Versioned<T> | undefined,
  step: Step,
): Versioned<T> | undefined {
  if (before === undefined) return undefined;
  return versionExpected(step, kind, before.value.id) === before.version ? before : undefined;
}
