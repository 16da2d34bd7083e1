import type { AccessRequest, Actor } from "./access-request.ts";
import type { Recorded, GrantEvent, RequestEvent } from "./events.ts";
import type { Grant } from "./grant.ts";
import type { Refusal } from "../values/refusals.ts";

/** The records one decision is about: a request, the grant it led to (for an extension: the one it prolongs, with the
 * request that led to it), and that grant's open extension. */
export interface AccessCase {
  readonly request: AccessRequest;
  readonly grant?: Grant;
  readonly extension?: AccessRequest;
  readonly parent?: AccessRequest;
  /** While it is undecided: the subject's other open requests for the same scopes, of which all but one were stranded. */
  readonly siblings?: readonly AccessRequest[];
}

/** What a decision gives: what happened, or why not. */
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

/** Time itself, when it ends or reminds. */
export const systemActor: Actor = { type: "system", id: "system", name: "jit-access", via: "system" };
