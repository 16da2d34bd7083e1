import type { AccessRequest, Actor } from "../../core/access/access-request.ts";
import { decideRevoke } from "../../core/decisions/decide-end.ts";
import { hasStarted } from "../../core/access/grant.ts";
import { parseId } from "../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { resourceOf } from "../../core/values/scopes.ts";
import { plus } from "../../core/values/time.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { actorOf, lacksRole, type Caller } from "../ports/caller.ts";
import { decideCase } from "../decisions/decide-case.ts";
import type { RedactTokens } from "../guards/redact-tokens.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { idOfNamed } from "../people/find-identity.ts";
import { findPolicy } from "../policies/policy-service.ts";
import { StoreUnavailable, type Reads, type RequestFilter, type RequestWithGrant } from "../ports/store.ts";

/** Which access to end; exactly one of the three. */
export type Revoked =
  /** By id or e-mail address. */
  | { readonly identityId: string }
  /** The start of any scope of the request, or of its resource. */
  | { readonly scopePrefix: string }
  /** The policy that governed any scope of the request or of an extension of it. */
  | { readonly policyId: string };

export interface MassRevocationService {
  /**
   * Ends every matching request that is approved or active, one commit each, and returns their ids. An unknown id is
   * refused, so that nobody who mistyped it believes that the access is over: `identity_unknown`, or `not_found` for a
   * policy that does not exist and governed nothing that is still open.
   */
  revokeAll(caller: Caller, which: Revoked, reason: string): Promise<readonly string[] | Refusal>;
}

const pageSize = 200;
/** Cost of reading one page, in about microseconds. */
const pageCost = 5_000;

export function createMassRevocation(
  context: ServiceContext,
  redactTokens: RedactTokens,
): MassRevocationService {
  return {
    async revokeAll(caller, asked, reason) {
      const missing = lacksRole(caller, "admin");
      if (missing !== undefined) return missing;
      const which =
        "identityId" in asked ? { identityId: await idOfNamed(context.store, asked.identityId) } : asked;
      if ("scopePrefix" in which && which.scopePrefix === "") {
        return refuse("invalid_body", "Say which scopes: an empty prefix would be everything.");
      }
      const redacted = await redactTokens(reason);
      const ids = await matching(context, which);
      const nothing = ids.length === 0 ? await namesNothing(context, which) : undefined;
      if (nothing !== undefined) return nothing;
      const ended: string[] = [];
      for (let start = 0; start < ids.length; start += pageSize) {
        const batch = ids.slice(start, start + pageSize);
        const outcomes = await Promise.all(batch.map((id) => endOne(context, id, redacted, actorOf(caller))));
        ended.push(...outcomes.flat());
      }
      return ended;
    },
  };
}

async function endOne(
  context: ServiceContext,
  id: string,
  reason: string,
  by: Actor,
): Promise<readonly string[]> {
  const outcome = await decideCase(context, id, async ({ accessCase }) => ({
    decision: decideRevoke(accessCase, reason, by, context.runtime.now()),
    expects: [],
  }));
  // Access that has ended meanwhile is fine. Any other refusal is thrown, so that it is not missed.
  if (isRefusal(outcome) && outcome.refused !== "not_active") throw new StoreUnavailable(outcome.detail);
  return isRefusal(outcome) || outcome === undefined ? [] : [id];
}

async function namesNothing(context: ServiceContext, which: Revoked): Promise<Refusal | undefined> {
  if ("identityId" in which) {
    const id = parseId("identity", which.identityId);
    const known = id === undefined ? undefined : await context.store.identity(id);
    return known === undefined ? unknownIdentity(which.identityId) : undefined;
  }
  if ("scopePrefix" in which || !isRefusal(await findPolicy(context, which.policyId))) return undefined;
  return refuse(
    "not_found",
    `There is no policy "${which.policyId.slice(0, 80)}", and no active access was granted by a policy with that id.`,
  );
}

async function matching(context: ServiceContext, which: Revoked): Promise<readonly string[]> {
  const { store, runtime, slices } = context;
  const ids: string[] = [];
  const subjectId = "identityId" in which ? parseId("identity", which.identityId) : undefined;
  if ("identityId" in which && subjectId === undefined) return ids;
  // APPROVED before ACTIVE, the order in which access progresses: a request claimed while we scan shows up in one.
  for (const status of ["APPROVED", "ACTIVE"] as const) {
    const filter = { now: runtime.now(), status, ...(subjectId !== undefined && { subjectId }) };
    for await (const rows of pagesOf(store, filter)) {
      await slices.spend(pageCost);
      for (const row of rows) if (await isMeant(context, row, which)) ids.push(row.request.value.id);
    }
  }
  return ids;
}

export async function* pagesOf(
  store: Pick<Reads, "requests">,
  filter: RequestFilter,
): AsyncGenerator<readonly RequestWithGrant[]> {
  let before: number | undefined;
  do {
    const page = await store.requests(filter, {
      limit: pageSize,
      ...(before !== undefined && { before }),
    });
    yield page.rows;
    before = page.next ?? undefined;
  } while (before !== undefined);
}

async function isMeant(context: ServiceContext, row: RequestWithGrant, which: Revoked): Promise<boolean> {
  if ("identityId" in which) return true;
  if ("policyId" in which) {
    return isGovernedBy(row.request.value, which.policyId) || isExtendedBy(context, row, which.policyId);
  }
  const { scopePrefix } = which;
  return row.request.value.scopes.some(
    (scope) => scope.startsWith(scopePrefix) || resourceOf(scope).startsWith(scopePrefix),
  );
}

function isGovernedBy({ requirement }: AccessRequest, policyId: string): boolean {
  return requirement.demands.some((demand) => demand.policyId === policyId);
}

/** Whether it was extended under this policy. Such an extension is a request of its own. */
async function isExtendedBy(
  { store, runtime }: ServiceContext,
  { request: { value: request }, grant }: RequestWithGrant,
  policyId: string,
): Promise<boolean> {
  if (!hasStarted(grant?.value)) return false;
  const { startedAt, expiresAt } = grant.value;
  if (request.grantedDurationMs !== null && expiresAt <= plus(startedAt, request.grantedDurationMs)) {
    return false;
  }
  const filter = {
    now: runtime.now(),
    subjectId: request.subjectId,
    status: "COMPLETED",
    since: startedAt,
  };
  for await (const rows of pagesOf(store, filter)) {
    const isOne = rows.some(
      ({ request: { value } }) => value.extension?.of === request.id && isGovernedBy(value, policyId),
    );
    if (isOne) return true;
  }
  return false;
}
