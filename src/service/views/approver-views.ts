import type {
  AccessRequest,
  AskedApprover,
  DecidedApprovals,
  NotifyChannel,
} from "../../core/access/access-request.ts";
import { approversOf } from "../../core/access/approvals.ts";
import { decidedApprovalsOf, countApprovals, nameOf } from "../../core/access/freeze-approvals.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import type { Directory } from "../../core/values/identity.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import type { Status } from "../../core/access/status.ts";
import { formatInstant } from "../../core/values/time.ts";

export interface ApproverView {
  readonly identityId: string;
  readonly name: string;
  readonly email: string | null;
  readonly stage: number;
  readonly status: "PENDING" | "APPROVED" | "DENIED" | "ESCALATED" | "NOT_NEEDED";
  readonly at?: string;
  readonly comment?: string;
  /** For a voter: the selectors that matched them then. */
  readonly as?: readonly string[];
  /** Who created the API key that the decision was made with. */
  readonly keyMintedBy?: string;
  /** While pending, if any channel is configured: where they can be notified. Empty: nowhere. */
  readonly reachableOn?: readonly NotifyChannel[];
}

/**
 * While pending: which approvals count now, who could decide now, and who has voted. Afterwards: as it was when the
 * request was decided, even if the clock has ended it and no sweep has recorded that yet.
 */
export function approvalsOf(request: AccessRequest, status: Status, directory: Directory): DecidedApprovals {
  if (status !== "PENDING") return decidedApprovalsOf(request, directory);
  const stages = countApprovals(request, directory);
  const approvers = stagesOf(request.requirement).flatMap((stage) => {
    const voters = request.votes.filter((vote) => vote.stages.includes(stage.number));
    const current = approversOf(request, stage, directory).map((person) => person.id);
    return [...new Set([...current, ...voters.map((vote) => vote.by)])].map((id) => ({
      identityId: id,
      stage: stage.number,
      ...nameOf(
        id,
        voters.findLast((one) => one.by === id),
        directory,
      ),
    }));
  });
  return { stages, approvers };
}

/** Each approver with their decision. `reachable`: where they can be notified while it is pending. */
export function approverViews(
  request: AccessRequest,
  status: Status,
  { stages, approvers }: DecidedApprovals,
  { reachable }: { readonly reachable?: ReadonlyMap<IdentityId, readonly NotifyChannel[]> },
): readonly ApproverView[] {
  return approvers.map(({ identityId, name, email, stage }) => {
    const vote = request.votes.findLast((one) => one.by === identityId && one.stages.includes(stage));
    const count = stages.find((one) => one.stage === stage);
    const isWaiting = status === "PENDING" && count !== undefined && count.given < count.required;
    const asked = request.asked.filter((one) => one.stage === stage);
    return {
      identityId,
      name,
      email,
      stage,
      status: vote?.decision ?? waitingAs(asked, identityId, isWaiting),
      ...(vote !== undefined && { at: formatInstant(vote.at) }),
      ...(vote?.comment !== undefined && { comment: vote.comment }),
      ...(vote?.as !== undefined && { as: vote.as }),
      ...(vote?.key !== undefined && { keyMintedBy: vote.key.mintedBy }),
      ...(reachable !== undefined &&
        status === "PENDING" && { reachableOn: reachable.get(identityId) ?? [] }),
    };
  });
}

function waitingAs(
  asked: readonly AskedApprover[],
  id: string,
  isWaiting: boolean,
): "PENDING" | "ESCALATED" | "NOT_NEEDED" {
  if (!isWaiting) return "NOT_NEEDED";
  return asked.some((one) => one.identityId === id && one.escalated) ? "ESCALATED" : "PENDING";
}
