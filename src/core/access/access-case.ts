import type { AccessRequest, Actor } from "./access-request.ts";
import type { Recorded, GrantEvent, RequestEvent } from "./events.ts";
import type { Grant } from "./grant.ts";
import type { Refusal } from "../values/refusals.ts";

/**
 * The records one decision is about: a request, its grant, and that grant's open extension. For an extension, `grant`
 * is the grant to extend and `parent` the request that led to it.
 */
export interface AccessCase {
  readonly request: AccessRequest;
  readonly grant?: Grant;
  readonly extension?: AccessRequest;
  readonly parent?: AccessRequest;
  /**
   * The subject's other open requests for the same scopes, while this one is undecided. At most one of them is not
   * stranded.
   */
  readonly siblings?: readonly AccessRequest[];
}

/** The result of a decision: the events, or a refusal. */
export type Decision = readonly Recorded[] | Refusal;

export function onRequest(
  request: Pick<AccessRequest, "id">,
  events: readonly RequestEvent[],
): readonly Recorded[] {
  return events.map((event) => ({ on: "request", id: request.id, event }));
}

export function onGrant(grant: Pick<Grant, "id">, event: GrantEvent): Recorded {
  return { on: "grant", id: grant.id, event };
}

/** The actor of everything that only the passage of time causes. */
export const systemActor: Actor = { type: "system", id: "system", name: "jit-access", via: "system" };
