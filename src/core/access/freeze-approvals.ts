import type { AccessRequest, DecidedApprovals, Vote } from "./access-request.ts";
import { countVotes, progressOf } from "./approvals.ts";
import type { Recorded } from "./events.ts";
import { evolveRequest } from "./evolve-request.ts";
import { onRequest, systemActor } from "./access-case.ts";
import type { IdentityId, Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { stagesOf } from "../policy/requirement.ts";

/** The requests that are pending now and no longer are after these events, in their new state. */
export function requestsDecidedIn(
  requests: readonly AccessRequest[],
  events: readonly Recorded[],
): readonly AccessRequest[] {
  return requests
    .filter((request) => request.phase === "PENDING" && stagesOf(request.requirement).length > 0)
    .map((request) =>
      events.reduce(
        (state, recorded) =>
          recorded.on === "request" && recorded.id === request.id
            ? evolveRequest(state, recorded.event)
            : state,
        request,
      ),
    )
    .filter((request) => request.phase !== "PENDING");
}

/** The event that freezes the approvals of a request that is no longer pending. */
export function freezeApprovals(
  request: AccessRequest,
  directory: Directory,
  now: Instant,
): readonly Recorded[] {
  const approvals: DecidedApprovals = {
    // A request times out at its deadline, perhaps long ago, and people may have changed since.
    stages: request.phase === "TIMED_OUT" ? countVotes(request) : countApprovals(request, directory),
    approvers: finalApprovers(request, directory),
  };
  return onRequest(request, [{ type: "ApprovalsFrozen", at: now, by: systemActor, approvals }]);
}

/** Approvals that count now. */
export function countApprovals(request: AccessRequest, directory: Directory): DecidedApprovals["stages"] {
  return progressOf(request, directory).map(({ stage, given }) => ({
    stage: stage.number,
    required: stage.required,
    given: given.length,
  }));
}

/**
 * The approvals of a request that is no longer pending. If none were frozen (older versions), counts its votes alone.
 */
export function decidedApprovalsOf(request: AccessRequest, directory: Directory): DecidedApprovals {
  return (
    request.decidedApprovals ?? {
      stages: countVotes(request),
      approvers: finalApprovers(request, directory),
    }
  );
}

/** Everybody who was asked, or who voted without being asked. */
function finalApprovers(request: AccessRequest, directory: Directory): DecidedApprovals["approvers"] {
  return stagesOf(request.requirement).flatMap(({ number }) => {
    const voters = request.votes.filter((vote) => vote.stages.includes(number));
    const asked = request.asked
      .filter(({ stage, until }) => stage === number && until === undefined)
      .map(({ identityId }) => identityId);
    return [...new Set([...asked, ...voters.map((vote) => vote.by)])].map((id) => ({
      identityId: id,
      stage: number,
      ...nameOf(
        id,
        voters.findLast((vote) => vote.by === id),
        directory,
      ),
    }));
  });
}

/** Name and address of a person; a voter's are those at the time of the vote. */
export function nameOf(
  id: IdentityId,
  vote: Vote | undefined,
  directory: Directory,
): { readonly name: string; readonly email: string | null } {
  const person = directory.identity(id);
  if (vote?.name !== undefined) return { name: vote.name, email: vote.email ?? null };
  return { name: person?.name ?? id, email: person?.email ?? null };
}
