import type { AccessRequest, AskedApprover, DecidedApprovals, Vote } from "./access-request.ts";
import type { Demand, Stage } from "../policy/requirement-model.ts";
import type { IdentityId } from "../values/ids.ts";
import {
  formatSelector,
  type Directory,
  type Identity,
  type Selector,
  type Via,
} from "../values/identity.ts";
import { refuse, type Refusal } from "../values/refusals.ts";
import { stagesOf } from "../policy/requirement.ts";

/** Progress of one stage, counting only approvals of people who are still eligible. */
export interface StageProgress {
  readonly stage: Stage;
  /** People whose approval counts in this stage now. */
  readonly given: readonly IdentityId[];
  readonly met: boolean;
  /** Whether it is the first stage of its policy that is not met. */
  readonly open: boolean;
}

/** The part of a request from which quorum is counted. It is known before submission. */
export type QuorumInput = Pick<
  AccessRequest,
  "subjectId" | "requestedById" | "requirement" | "openings" | "votes"
>;

/** People who may decide the stage now: its approvers and those its escalation has reached, never the requester. */
export function approversOf(request: QuorumInput, stage: Stage, directory: Directory): readonly Identity[] {
  return eligiblePeople(request, askedSelectors(request, stage), directory);
}

function askedSelectors(request: QuorumInput, stage: Stage): readonly Selector[] {
  return [...stage.approvers, ...stage.escalateTo.slice(0, levelOf(request, stage)).flat()];
}

/** People the selectors match, without duplicates, subject and `requestedBy`. */
export function eligiblePeople(
  request: Pick<AccessRequest, "subjectId" | "requestedById">,
  selectors: readonly Selector[],
  directory: Directory,
): readonly Identity[] {
  const found = new Map<IdentityId, Identity>();
  for (const selector of selectors) {
    for (const person of directory.people(selector, request.subjectId)) found.set(person.id, person);
  }
  found.delete(request.subjectId);
  found.delete(request.requestedById);
  return [...found.values()];
}

/** The selectors that let the person decide these stages now, as the policy's author wrote them. */
export function selectorsMatching(
  request: QuorumInput,
  stages: readonly Stage[],
  person: IdentityId,
  directory: Directory,
): readonly string[] {
  const means = stages.flatMap((stage) =>
    askedSelectors(request, stage).filter((selector) =>
      directory.people(selector, request.subjectId).some(({ id }) => id === person),
    ),
  );
  return [...new Set(means.map(formatSelector))];
}

function levelOf(request: QuorumInput, stage: Stage): number {
  return request.openings.find((opening) => opening.stage === stage.number)?.level ?? 0;
}

/** The progress of each stage, ordered by number. */
export function progressOf(request: QuorumInput, directory: Directory): readonly StageProgress[] {
  return request.requirement.demands.flatMap((demand) => {
    const countsIn = latestStages(request.votes, demand);
    let earlierMet = true;
    return demand.stages.map((stage) => {
      const given = approversOf(request, stage, directory)
        .map((person) => person.id)
        .filter((person) => countsIn.get(person) === stage.number);
      const met = given.length >= stage.required;
      const open = earlierMet && !met;
      earlierMet &&= met;
      return { stage, given, met, open };
    });
  });
}

/**
 * Counts approvals by votes, without voters who were noticed to have left their stage. For a past moment, when group
 * membership at that time is not known.
 */
export function countVotes(request: QuorumInput & Pick<AccessRequest, "asked">): DecidedApprovals["stages"] {
  const hasLeftStage = (person: IdentityId, stage: number): boolean =>
    request.asked.some(
      (approver) =>
        approver.identityId === person && approver.stage === stage && approver.until !== undefined,
    );
  return request.requirement.demands.flatMap((demand) => {
    const votes = [...latestStages(request.votes, demand)];
    return demand.stages.map(({ number, required }) => ({
      stage: number,
      required,
      given: votes.filter(([person, stage]) => stage === number && !hasLeftStage(person, number)).length,
    }));
  });
}

export function isMet(progress: readonly StageProgress[]): boolean {
  return progress.every(({ met }) => met);
}

/**
 * A person counts in one stage per demand, the latest they approved. Otherwise someone who approves stage 1, loses
 * eligibility, approves stage 2 and becomes eligible again would count twice.
 */
function latestStages(votes: readonly Vote[], demand: Demand): ReadonlyMap<IdentityId, number> {
  const stageNumbers = new Set(demand.stages.map((stage) => stage.number));
  return new Map(
    votes
      .filter((vote) => vote.decision === "APPROVED")
      .flatMap((vote) =>
        vote.stages.filter((stage) => stageNumbers.has(stage)).map((stage) => [vote.by, stage]),
      ),
  );
}

/** Whether the person may decide any stage of the request, open or not. */
export function isApproverOf(request: QuorumInput, person: IdentityId, directory: Directory): boolean {
  return stagesOf(request.requirement).some((stage) =>
    isAmong(approversOf(request, stage, directory), person),
  );
}

function isAmong(people: readonly Identity[], person: IdentityId): boolean {
  return people.some(({ id }) => id === person);
}

/**
 * Stages in which an approval by this person would count now: the open stage of each policy that names them, unless
 * they already counted in that policy.
 *
 * If everything is complete because someone regained eligibility, any approver completes the request by approving,
 * even a second time. Until then nothing happens: silence never approves.
 */
export function stagesCounting(
  request: QuorumInput,
  person: IdentityId,
  via: Via,
  directory: Directory,
): readonly number[] | Refusal {
  const progress = new Map(progressOf(request, directory).map((stage) => [stage.stage.number, stage]));
  const isComplete = isMet([...progress.values()]);
  const eligibilities = request.requirement.demands
    .filter((demand) => demand.stages.length > 0)
    .map((demand) => {
      const stages = demand.stages.flatMap((stage) => progress.get(stage.number) ?? []);
      return eligibilityIn(stages, isComplete, request, person, via, directory);
    });
  const countingStages = eligibilities.filter((eligibility) => typeof eligibility === "number");
  if (countingStages.length > 0) return countingStages;
  if (eligibilities.includes("elsewhere")) {
    return refuse("not_an_approver", "This stage cannot be decided here; its policy restricts where.");
  }
  if (eligibilities.includes("not open")) {
    return refuse(
      "stage_not_open",
      "Your stage is not open: an earlier stage is undecided, or yours is already complete.",
    );
  }
  if (eligibilities.includes("counted")) {
    return refuse("already_voted", "You have already approved this; it is waiting for other people.");
  }
  return refuse("not_an_approver", "You are not an approver of this request.");
}

type StageEligibility = number | "counted" | "elsewhere" | "not open" | "not asked";

function eligibilityIn(
  stages: readonly StageProgress[],
  isComplete: boolean,
  request: QuorumInput,
  person: IdentityId,
  via: Via,
  directory: Directory,
): StageEligibility {
  const counted = stages.find(({ given }) => given.includes(person));
  if (counted !== undefined && !isComplete) return "counted";
  const ownStages = stages.filter(({ stage }) => isAmong(approversOf(request, stage, directory), person));
  const open = isComplete ? (counted ?? ownStages[0]) : ownStages.find((stage) => stage.open);
  if (open === undefined) return ownStages.length === 0 ? "not asked" : "not open";
  return mayDecideVia(open.stage, via) ? open.stage.number : "elsewhere";
}

/** Whether the policy lets this stage be decided on the surface the decision came from. */
export function mayDecideVia(stage: Stage, via: Via): boolean {
  return stage.via === undefined || stage.via.some((allowed) => allowed === via);
}

/** The stages that open now, and the people to ask. */
export function newlyOpen(
  request: QuorumInput,
  directory: Directory,
): { readonly opened: readonly number[]; readonly asked: readonly AskedApprover[] } {
  const openedBefore = new Set(request.openings.map((opening) => opening.stage));
  const stages = progressOf(request, directory).flatMap(({ stage, open }) =>
    open && !openedBefore.has(stage.number) ? [stage] : [],
  );
  return {
    opened: stages.map((stage) => stage.number),
    asked: stages.flatMap((stage) =>
      approversOf(request, stage, directory).map((person) => ({
        identityId: person.id,
        stage: stage.number,
        escalated: false,
      })),
    ),
  };
}
