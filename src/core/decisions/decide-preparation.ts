import type { AccessRequest } from "../access/access-request.ts";
import { onGrant, onRequest, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import { mayClaim, type ClaimFacts } from "./decide-claim.ts";
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
  /** What the connectors of today serve of the request's scopes. */
  readonly desired: readonly DesiredTarget[];
}

/**
 * Writes down what is to be made at which targets, before anything is: so a crash leaves nothing there that cannot be
 * found. Empty when that has been done already. The request stays approved.
 */
export function decidePrepare(accessCase: AccessCase, facts: PrepareFacts, now: Instant): Decision {
  const request = mayClaim(accessCase, facts, now);
  if ("refused" in request) return request;
  // Begun already, or a reload meanwhile has left no target.
  if (accessCase.grant?.phase === "PREPARING" || facts.desired.length === 0) return [];
  const grant = preparedGrant(request, facts, now);
  return [
    ...onRequest(request, [{ type: "RequestPreparing", at: now, by: facts.by, grantId: grant.id }]),
    onGrant(grant, { type: "GrantPrepared", at: now, by: facts.by, grant }),
  ];
}

function preparedGrant(
  request: AccessRequest & { readonly grantedDurationMs: number },
  { grantId, desired }: PrepareFacts,
  now: Instant,
): UnstartedGrant {
  const { id: requestId, subjectId } = request;
  const claimBy = plus(now, claimPreparedWithinMs);
  // The clock of the access starts when it is fetched, so this is the latest end it can have.
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
    targets: desired.map((one) => pendingTarget({ ...one, grantId, requestId, subjectId, notAfter }, now)),
  };
}

/** A target cannot give it, so nothing is given: what the others have made ready is taken back. */
export function decideFailure(
  accessCase: AccessCase,
  connector: string,
  why: string,
  now: Instant,
): readonly Recorded[] {
  const { request, grant } = accessCase;
  if (request.phase !== "APPROVED" || grant?.phase !== "PREPARING") return [];
  const by = systemActor;
  const reason = `${connector} could not give it: ${why}`;
  return [
    ...onRequest(request, [{ type: "RequestFailed", at: now, by, connector, reason }]),
    onGrant(grant, { type: "TargetFailed", at: now, by, connector }),
    onGrant(grant, { type: "GrantAbandoned", at: now, by, reason }),
  ];
}

/**
 * What was approved has left the configuration since: the request fails at its claim, rather than being given in part or
 * as a token that opens nothing.
 */
export function decideNotServed(
  accessCase: AccessCase,
  facts: Omit<PrepareFacts, "grantId" | "desired">,
  why: string,
  now: Instant,
): Decision {
  const request = mayClaim(accessCase, facts, now);
  if ("refused" in request) return request;
  const { grant } = accessCase;
  const by = systemActor;
  const reason = `the configuration has changed since it was asked for: ${why}`;
  return [
    ...onRequest(request, [{ type: "RequestFailed", at: now, by, reason }]),
    ...(grant?.phase === "PREPARING"
      ? [onGrant(grant, { type: "GrantAbandoned" as const, at: now, by, reason })]
      : []),
  ];
}

/** What time does to an approved request whose targets are being made ready. */
export function preparationTick(accessCase: AccessCase, now: Instant): readonly Recorded[] {
  const { grant } = accessCase;
  if (grant?.phase !== "PREPARING") return [];
  const late = now < grant.provisionBy ? undefined : unready(grant);
  if (late !== undefined) {
    const { connector } = late.spec;
    return decideFailure(accessCase, connector, late.problem ?? "it was not ready in time", now);
  }
  if (now < grant.claimBy) return [];
  return [
    onGrant(grant, { type: "GrantAbandoned", at: now, by: systemActor, reason: "nobody fetched it in time" }),
  ];
}

function unready({ targets }: Grant): Target | undefined {
  return areReady(targets) ? undefined : targets.find((one) => one.state !== "PROVISIONED");
}
