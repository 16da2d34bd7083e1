import type { AccessRequest, AskedApprover } from "../access/access-request.ts";
import { approversOf, eligible, progressOf } from "../access/approvals.ts";
import { onRequest, systemActor } from "../access/access-case.ts";
import type { Recorded, RequestEvent } from "../access/events.ts";
import type { Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { unreachableStage } from "../access/reachable-quorum.ts";
import { isStranded } from "../access/stranded-request.ts";

/**
 * What a change of people means for a request that waits: who may decide it from now on and is to be asked, who no
 * longer may, and whether its quorum can still be reached. Empty when nothing has changed for it, so asking twice is
 * harmless. Nothing here decides a request: one that is stranded waits on.
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
  const { joined, left } = changedApprovers(request, directory);
  if (joined.length > 0 || left.length > 0) events.push({ ...at, type: "ApproversChanged", joined, left });
  if (stage !== undefined && !isStranded(request)) {
    events.push({ ...at, type: "RequestStranded", stage: stage.number, required: stage.required });
  }
  if (stage === undefined && isStranded(request)) events.push({ ...at, type: "RequestReachable" });
  return onRequest(request, events);
}

/** Who may decide an open stage and has not been asked, and who has been asked in a stage they may decide no more. */
function changedApprovers(
  request: AccessRequest,
  directory: Directory,
): { readonly joined: readonly AskedApprover[]; readonly left: readonly AskedApprover[] } {
  const joined: AskedApprover[] = [];
  const left: AskedApprover[] = [];
  for (const { stage, open, given } of progressOf(request, directory)) {
    const asked = request.asked.filter((one) => one.stage === stage.number && one.until === undefined);
    const able = new Set(approversOf(request, stage, directory).map((person) => person.id));
    left.push(...asked.filter((one) => !able.has(one.identityId)));
    if (!open) continue;
    const atFirst = new Set(eligible(request, stage.approvers, directory).map((person) => person.id));
    for (const id of able) {
      // Whoever came and approved before anybody looked needs not be asked.
      if (given.includes(id) || asked.some((one) => one.identityId === id)) continue;
      joined.push({ identityId: id, stage: stage.number, escalated: !atFirst.has(id) });
    }
  }
  return { joined, left };
}
