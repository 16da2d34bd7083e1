import type { AccessRequest } from "./access-request.ts";
import { onRequest, systemActor } from "./case.ts";
import type { Recorded, RequestEvent } from "./events.ts";
import type { Instant } from "./ids.ts";
import type { Directory } from "./people.ts";
import { unreachableStage } from "./reachable-quorum.ts";
import { isStranded } from "./stranded.ts";

/**
 * What a change of people means for a request that waits: whether its quorum can still be reached. Empty when nothing
 * has changed for it, so asking twice is harmless. Nothing here decides a request: one that is stranded waits on.
 */
export function decideApproverReview(
  request: AccessRequest,
  directory: Directory,
  now: Instant,
): readonly Recorded[] {
  if (request.phase !== "PENDING" || now >= request.approvalDeadline) return [];
  const at = { at: now, by: systemActor };
  const stage = unreachableStage(request, directory);
  const events: RequestEvent[] = [];
  if (stage !== undefined && !isStranded(request)) {
    events.push({ ...at, type: "RequestStranded", stage: stage.number, required: stage.required });
  }
  if (stage === undefined && isStranded(request)) events.push({ ...at, type: "RequestReachable" });
  return onRequest(request, events);
}
