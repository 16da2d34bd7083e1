import type { AccessRequest, AskedApprover } from "../access/access-request.ts";
import { approversOf, eligiblePeople, progressOf } from "../access/approvals.ts";
import { onRequest, systemActor } from "../access/access-case.ts";
import type { Recorded, RequestEvent } from "../access/events.ts";
import type { Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { unreachableStage } from "../access/reachable-quorum.ts";
import { isStranded } from "../access/stranded-request.ts";

/**
 * What a change of people means for a pending request: who may decide it now and must be asked, who no longer may,
 * and whether its quorum can still be reached. Returns nothing when nothing changed, so running it twice is harmless.
 * It never decides a request: a stranded one stays pending.
 */
export function decideApproverReview(
  request: AccessRequest,
  directory: Directory,
  now: Instant,
): readonly Recorded[] {
  if (request.phase !== "PENDING" || now >= request.approvalDeadline) return [];
  const header = { at: now, by: systemActor };
  const stage = unreachableStage(request, directory);
  const events: RequestEvent[] = [];
  const { joined, left } = changedApprovers(request, directory);
  if (joined.length > 0 || left.length > 0)
    events.push({ ...header, type: "ApproversChanged", joined, left });
  if (stage !== undefined && !isStranded(request)) {
    events.push({ ...header, type: "RequestStranded", stage: stage.number, required: stage.required });
  }
  if (stage === undefined && isStranded(request)) events.push({ ...header, type: "RequestReachable" });
  return onRequest(request, events);
}

/**
 * Finds new and former approvers. `joined` may decide an open stage and were not asked; `left` were asked and no
 * longer may.
 */
function changedApprovers(
  request: AccessRequest,
  directory: Directory,
): { readonly joined: readonly AskedApprover[]; readonly left: readonly AskedApprover[] } {
  const joined: AskedApprover[] = [];
  const left: AskedApprover[] = [];
  for (const { stage, open, given } of progressOf(request, directory)) {
    const asked = request.asked.filter(
      (person) => person.stage === stage.number && person.until === undefined,
    );
    const eligibleIds = new Set(approversOf(request, stage, directory).map((person) => person.id));
    left.push(...asked.filter(({ identityId }) => !eligibleIds.has(identityId)));
    if (!open) continue;
    const firstLevelIds = new Set(
      eligiblePeople(request, stage.approvers, directory).map((person) => person.id),
    );
    for (const id of eligibleIds) {
      // People who already approved, before this review, need not be asked.
      if (given.includes(id) || asked.some(({ identityId }) => identityId === id)) continue;
      joined.push({ identityId: id, stage: stage.number, escalated: !firstLevelIds.has(id) });
    }
  }
  return { joined, left };
}
