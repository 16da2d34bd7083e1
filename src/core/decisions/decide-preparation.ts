import type { AccessRequest } from "../access/access-request.ts";
import { onGrant, onRequest, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import { requireClaimable, type ClaimFacts } from "./decide-claim.ts";
import type { Recorded } from "../access/events.ts";
import {
  claimPreparedWithinMs,
  provisionWithinMs,
  type Grant,
  type UnstartedGrant,
} from "../access/grant.ts";
import type { GrantId, Instant } from "../values/ids.ts";
import { areReady, pendingTarget, type Target, type DesiredTarget } from "../access/target.ts";
import { plus } from "../values/time.ts";

export interface PrepareFacts extends Pick<ClaimFacts, "byId" | "by" | "subject" | "current" | "lockdown"> {
  readonly grantId: GrantId;
  /** The targets that current connectors serve of the request's scopes. */
  readonly desired: readonly DesiredTarget[];
}

/**
 * Records what will be created at which targets, before anything is. So a crash leaves nothing that cannot be found.
 * Empty when that is already recorded. The request stays APPROVED.
 */
export function decidePrepare(accessCase: AccessCase, facts: PrepareFacts, now: Instant): Decision {
  const request = requireClaimable(accessCase, facts, now);
  if ("refused" in request) return request;
  // Preparation has already begun, or a reload has removed every target.
  if (accessCase.grant?.phase === "PREPARING" || facts.desired.length === 0) return [];
  const grant = prepareGrant(request, facts, now);
  return [
    ...onRequest(request, [{ type: "RequestPreparing", at: now, by: facts.by, grantId: grant.id }]),
    onGrant(grant, { type: "GrantPrepared", at: now, by: facts.by, grant }),
  ];
}

function prepareGrant(
  request: AccessRequest & { readonly grantedDurationMs: number },
  { grantId, desired }: PrepareFacts,
  now: Instant,
): UnstartedGrant {
  const { id: requestId, subjectId } = request;
  const claimBy = plus(now, claimPreparedWithinMs);
  // Access starts when the secret is fetched, so this is its latest possible end.
  const notAfter = plus(claimBy, request.grantedDurationMs);
  return {
    id: grantId,
    requestId,
    subjectId,
    scopes: request.scopes,
    breakGlass: request.breakGlass !== undefined,
    phase: "PREPARING",
    preparedAt: now,
    provisionBy: plus(now, provisionWithinMs),
    claimBy,
    endedAt: null,
    endReason: null,
    targets: desired.map((target) =>
      pendingTarget({ ...target, grantId, requestId, subjectId, notAfter }, now),
    ),
  };
}

/** Fails the request when one target cannot provide the access. What the others have prepared is taken back. */
export function decideFailure(
  accessCase: AccessCase,
  connector: string,
  cause: string,
  now: Instant,
): readonly Recorded[] {
  const { request, grant } = accessCase;
  if (request.phase !== "APPROVED" || grant?.phase !== "PREPARING") return [];
  const by = systemActor;
  const reason = `${connector} could not provide the access: ${cause}`;
  return [
    ...onRequest(request, [{ type: "RequestFailed", at: now, by, connector, reason }]),
    onGrant(grant, { type: "TargetFailed", at: now, by, connector }),
    onGrant(grant, { type: "GrantAbandoned", at: now, by, reason }),
  ];
}

/**
 * Fails an approved request at its claim, because its configuration has changed. It is never provided in part, or as
 * a token that gives no access.
 */
export function decideNotServed(
  accessCase: AccessCase,
  facts: Omit<PrepareFacts, "grantId" | "desired">,
  cause: string,
  now: Instant,
): Decision {
  const request = requireClaimable(accessCase, facts, now);
  if ("refused" in request) return request;
  const { grant } = accessCase;
  const by = systemActor;
  const reason = `the configuration has changed since it was asked for: ${cause}`;
  return [
    ...onRequest(request, [{ type: "RequestFailed", at: now, by, reason }]),
    ...(grant?.phase === "PREPARING"
      ? [onGrant(grant, { type: "GrantAbandoned" as const, at: now, by, reason })]
      : []),
  ];
}

/** What the passage of time changes for a grant that is being prepared. */
export function tickPreparation(accessCase: AccessCase, now: Instant): readonly Recorded[] {
  const { grant } = accessCase;
  if (grant?.phase !== "PREPARING") return [];
  const lateTarget = now < grant.provisionBy ? undefined : firstUnready(grant);
  if (lateTarget !== undefined) {
    const { connector } = lateTarget.spec;
    return decideFailure(accessCase, connector, lateTarget.problem ?? "it was not ready in time", now);
  }
  if (now < grant.claimBy) return [];
  return [
    onGrant(grant, {
      type: "GrantAbandoned",
      at: now,
      by: systemActor,
      reason: "it was not claimed again in time",
    }),
  ];
}

function firstUnready({ targets }: Grant): Target | undefined {
  return areReady(targets) ? undefined : targets.find(({ state }) => state !== "PROVISIONED");
}
