import type { AccessRequest } from "../access/access-request.ts";
import { onGrant, onRequest, systemActor, type Case, type Decision } from "../access/access-case.ts";
import { mayClaim, type ClaimFacts } from "./decide-claim.ts";
import type { Recorded } from "../access/events.ts";
import { fetchWithinMs, provisionWithinMs, type Grant, type UnstartedGrant } from "../access/grant.ts";
import type { GrantId, Instant } from "../values/ids.ts";
import { areReady, orderedTarget, type Target, type WantedTarget } from "../access/target.ts";
import { plus } from "../values/time.ts";

export interface PrepareFacts extends Pick<ClaimFacts, "byId" | "by" | "subject" | "today" | "lockdown"> {
  readonly grantId: GrantId;
  /** What the connectors of today serve of the request's scopes. */
  readonly wanted: readonly WantedTarget[];
}

/**
 * Writes down what is to be made at which targets, before anything is: so a crash leaves nothing there that cannot be
 * found. Empty when that has been done already. The request stays approved.
 */
export function decidePrepare(kase: Case, facts: PrepareFacts, now: Instant): Decision {
  const request = mayClaim(kase, facts, now);
  if ("refused" in request) return request;
  // Begun already, or a reload meanwhile has left no target.
  if (kase.grant?.phase === "PREPARING" || facts.wanted.length === 0) return [];
  const grant = preparedGrant(request, facts, now);
  return [
    ...onRequest(request, [{ type: "RequestPreparing", at: now, by: facts.by, grantId: grant.id }]),
    onGrant(grant, { type: "GrantPrepared", at: now, by: facts.by, grant }),
  ];
}

function preparedGrant(
  request: AccessRequest & { readonly grantedDurationMs: number },
  { grantId, wanted }: PrepareFacts,
  now: Instant,
): UnstartedGrant {
  const { id: requestId, subjectId } = request;
  const fetchBy = plus(now, fetchWithinMs);
  // The clock of the access starts when it is fetched, so this is the latest end it can have.
  const notAfter = plus(fetchBy, request.grantedDurationMs);
  return {
    id: grantId,
    requestId,
    subjectId,
    scopes: request.scopes,
    breakGlass: request.breakGlass !== undefined,
    phase: "PREPARING",
    preparedAt: now,
    provisionBy: plus(now, provisionWithinMs),
    fetchBy,
    endedAt: null,
    endReason: null,
    targets: wanted.map((one) => orderedTarget({ ...one, grantId, requestId, subjectId, notAfter }, now)),
  };
}

/** A target cannot give it, so nothing is given: what the others have made ready is taken back. */
export function decideFailure(kase: Case, connector: string, why: string, now: Instant): readonly Recorded[] {
  const { request, grant } = kase;
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
  kase: Case,
  facts: Omit<PrepareFacts, "grantId" | "wanted">,
  why: string,
  now: Instant,
): Decision {
  const request = mayClaim(kase, facts, now);
  if ("refused" in request) return request;
  const { grant } = kase;
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
export function preparationTick(kase: Case, now: Instant): readonly Recorded[] {
  const { grant } = kase;
  if (grant?.phase !== "PREPARING") return [];
  const late = now < grant.provisionBy ? undefined : unready(grant);
  if (late !== undefined) {
    const { connector } = late.order;
    return decideFailure(kase, connector, late.problem ?? "it was not ready in time", now);
  }
  if (now < grant.fetchBy) return [];
  return [
    onGrant(grant, { type: "GrantAbandoned", at: now, by: systemActor, reason: "nobody fetched it in time" }),
  ];
}

function unready({ targets }: Grant): Target | undefined {
  return areReady(targets) ? undefined : targets.find((one) => one.state !== "PROVISIONED");
}
