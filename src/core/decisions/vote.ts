import type { AccessRequest, Actor, UsedKey, Vote } from "../access/access-request.ts";
import { isApproverOf, selectorsMatching } from "../access/approvals.ts";
import { refuseInactive } from "../access/assessment.ts";
import type { IdentityId, Instant } from "../values/ids.ts";
import { refuseSelfMadeApprover } from "../values/identity-origins.ts";
import { isActive, type Directory, type Identity } from "../values/identity.ts";
import { refuse, type Refusal } from "../values/refusals.ts";
import { stagesOf } from "../policy/requirement.ts";
import { formatInstant } from "../values/time.ts";

/** Who decides, and what their right to decide depends on. */
export interface VoteFacts {
  readonly person: Identity;
  readonly by: Actor;
  /** People who influenced how this person is recognised; see `peopleBehind`. */
  readonly behind: readonly IdentityId[];
  readonly directory: Directory;
}

/**
 * Refuses people who may not decide. Their right is checked before the request's state, so that others learn nothing
 * about the request.
 */
export function refuseVote(
  request: AccessRequest,
  facts: Omit<VoteFacts, "by">,
  now: Instant,
): Refusal | undefined {
  const { person } = facts;
  if (person.id === request.subjectId || person.id === request.requestedById) {
    return refuse("self_approval", "You cannot decide your own request; you can cancel it.");
  }
  if (!isActive(person)) return refuseInactive(person);
  if (person.kind !== "HUMAN" || !isApproverOf(request, person.id, facts.directory)) {
    return refuse("not_an_approver", "You are not an approver of this request.");
  }
  const selfApproval = refuseSelfMadeApprover(request, facts.behind);
  if (selfApproval !== undefined) return selfApproval;
  if (request.phase === "PENDING") {
    return now < request.approvalDeadline
      ? undefined
      : refuse("approval_window_passed", "Nobody decided in time; the requester can ask again.");
  }
  if (request.phase === "TIMED_OUT" && request.claimDeadline === null) {
    return refuse("approval_window_passed", "Nobody decided in time; the requester can ask again.");
  }
  return refuse("already_decided", decidedText(request));
}

function decidedText(request: AccessRequest): string {
  const who = request.decidedBy?.name ?? "somebody";
  const at = request.endedAt ?? request.decidedAt;
  const when = at === null ? "" : ` at ${formatInstant(at)}`;
  switch (request.phase) {
    case "APPROVED":
    case "CLAIMED":
      return `Already approved by ${who}${when}. To end the access, revoke it.`;
    case "DENIED":
      return `Already denied by ${who}${when}.`;
    case "COMPLETED":
      return `Already approved by ${who}${when}. To end the access, revoke ${request.extension?.of ?? "it"}.`;
    case "CANCELLED":
      return `Already cancelled by ${who}${when}.`;
    case "REVOKED":
      return `Already approved, and revoked by ${who}${when}.`;
    default:
      return `Already over${when}.`;
  }
}

/** The vote to record, with the voter's name, address and selectors as they are now. */
export function makeVote(
  decision: Vote["decision"],
  request: AccessRequest,
  facts: Omit<VoteFacts, "behind">,
  now: Instant,
  stages: readonly number[],
  answer: Pick<Vote, "durationMs" | "comment">,
): Vote {
  const key: UsedKey | undefined = facts.by.key;
  const { id, name, email } = facts.person;
  const countingStages = stagesOf(request.requirement).filter((stage) => stages.includes(stage.number));
  return {
    by: id,
    name,
    ...(email !== undefined && { email }),
    as: selectorsMatching(request, countingStages, id, facts.directory),
    at: now,
    via: facts.by.via,
    decision,
    stages,
    ...(answer.durationMs !== undefined && { durationMs: answer.durationMs }),
    ...(answer.comment !== undefined && { comment: answer.comment }),
    ...(key !== undefined && { key }),
  };
}
