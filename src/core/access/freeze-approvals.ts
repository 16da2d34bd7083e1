import type { AccessRequest, DecidedApprovals, Vote } from "./access-request.ts";
import { approvalsGiven, progressOf } from "./approvals.ts";
import type { Recorded } from "./events.ts";
import { evolveRequest } from "./evolve-request.ts";
import { onRequest, systemActor } from "./access-case.ts";
import type { IdentityId, Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { stagesOf } from "../policy/requirement.ts";

/** Those of the requests that wait now and no longer wait once this has happened, as they are then. */
export function requestsDecidedBy(
  requests: readonly AccessRequest[],
  happened: readonly Recorded[],
): readonly AccessRequest[] {
  return requests
    .filter((request) => request.phase === "PENDING" && stagesOf(request.requirement).length > 0)
    .map((request) =>
      happened
        .filter((one) => one.on === "request" && one.id === request.id)
        .reduce((after, one) => (one.on === "request" ? evolveRequest(after, one.event) : after), request),
    )
    .filter((request) => request.phase !== "PENDING");
}

/** The event that keeps the approvals of a request which no longer waits, as they stand at this moment. */
export function approvalsFrozen(
  request: AccessRequest,
  directory: Directory,
  now: Instant,
): readonly Recorded[] {
  const approvals: DecidedApprovals = {
    // Time ended it at its deadline, which may be long past: people may have changed since.
    stages: request.phase === "TIMED_OUT" ? approvalsGiven(request) : approvalsNow(request, directory),
    approvers: approversAtTheEnd(request, directory),
  };
  return onRequest(request, [{ type: "ApprovalsFrozen", at: now, by: systemActor, approvals }]);
}

/** Approvals that count at this moment. */
export function approvalsNow(request: AccessRequest, directory: Directory): DecidedApprovals["stages"] {
  return progressOf(request, directory).map(({ stage, given }) => ({
    stage: stage.number,
    required: stage.required,
    given: given.length,
  }));
}

/** The approvals of a request that no longer waits. One decided before they were frozen counts its votes alone. */
export function approvalsAsDecided(request: AccessRequest, directory: Directory): DecidedApprovals {
  return (
    request.decidedApprovals ?? {
      stages: approvalsGiven(request),
      approvers: approversAtTheEnd(request, directory),
    }
  );
}

/** Who was asked, and who voted without having been asked. */
function approversAtTheEnd(request: AccessRequest, directory: Directory): DecidedApprovals["approvers"] {
  return stagesOf(request.requirement).flatMap(({ number }) => {
    const voters = request.votes.filter((vote) => vote.stages.includes(number));
    const asked = request.asked
      .filter((one) => one.stage === number && one.until === undefined)
      .map((one) => one.identityId);
    return [...new Set([...asked, ...voters.map((vote) => vote.by)])].map((id) => ({
      identityId: id,
      stage: number,
      ...nameOf(
        id,
        voters.findLast((one) => one.by === id),
        directory,
      ),
    }));
  });
}

/** A voter keeps the name and the address they voted under. */
export function nameOf(
  id: IdentityId,
  vote: Vote | undefined,
  directory: Directory,
): { readonly name: string; readonly email: string | null } {
  const person = directory.identity(id);
  if (vote?.name !== undefined) return { name: vote.name, email: vote.email ?? null };
  return { name: person?.name ?? id, email: person?.email ?? null };
}
