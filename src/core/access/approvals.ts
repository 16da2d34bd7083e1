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

/** How far one stage has come, counting only approvals of people who are still eligible for it. */
export interface StageProgress {
  readonly stage: Stage;
  /** Whose approval counts here now. */
  readonly given: readonly IdentityId[];
  readonly met: boolean;
  /** The first of its policy that is not met. */
  readonly open: boolean;
}

/** What quorum is counted from: enough of a request that it can be asked before there is one. */
export type Counted = Pick<
  AccessRequest,
  "subjectId" | "requestedById" | "requirement" | "openings" | "votes"
>;

/** People who may decide the stage now: its approvers and those its escalation has reached, never the requester. */
export function approversOf(request: Counted, stage: Stage, directory: Directory): readonly Identity[] {
  return eligible(request, selectorsAsked(request, stage), directory);
}

function selectorsAsked(request: Counted, stage: Stage): readonly Selector[] {
  return [...stage.approvers, ...stage.escalateTo.slice(0, levelOf(request, stage)).flat()];
}

/** The people of these selectors, each once, without subject and `requestedBy`. */
export function eligible(
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

/** The selectors by which the person may decide any of these stages now, as the policy's author wrote them. */
export function selectorsMeaning(
  request: Counted,
  stages: readonly Stage[],
  person: IdentityId,
  directory: Directory,
): readonly string[] {
  const means = stages.flatMap((stage) =>
    selectorsAsked(request, stage).filter((selector) =>
      directory.people(selector, request.subjectId).some((one) => one.id === person),
    ),
  );
  return [...new Set(means.map(formatSelector))];
}

function levelOf(request: Counted, stage: Stage): number {
  return request.openings.find((opening) => opening.stage === stage.number)?.level ?? 0;
}

/** Each stage's progress, in the order of their numbers. */
export function progressOf(request: Counted, directory: Directory): readonly StageProgress[] {
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
 * Approvals by the votes, without those of people who were noticed to have left their stage: what is known of a moment
 * that is past, when it is not known who belonged to which group then.
 */
export function approvalsGiven(request: Counted & Pick<AccessRequest, "asked">): DecidedApprovals["stages"] {
  const hasLeft = (person: IdentityId, stage: number): boolean =>
    request.asked.some((one) => one.identityId === person && one.stage === stage && one.until !== undefined);
  return request.requirement.demands.flatMap((demand) => {
    const votes = [...latestStages(request.votes, demand)];
    return demand.stages.map(({ number, required }) => ({
      stage: number,
      required,
      given: votes.filter(([person, stage]) => stage === number && !hasLeft(person, number)).length,
    }));
  });
}

export function isMet(progress: readonly StageProgress[]): boolean {
  return progress.every((one) => one.met);
}

/**
 * The one stage of the demand in which each person's approval counts: their latest. Who approved an earlier one, was not
 * eligible for a while and approved a later one meanwhile does not count in both once they are eligible again.
 */
function latestStages(votes: readonly Vote[], demand: Demand): ReadonlyMap<IdentityId, number> {
  const own = new Set(demand.stages.map((stage) => stage.number));
  return new Map(
    votes
      .filter((vote) => vote.decision === "APPROVED")
      .flatMap((vote) => vote.stages.filter((stage) => own.has(stage)).map((stage) => [vote.by, stage])),
  );
}

/** Whether this person may decide any stage of the request, open or not. */
export function isApproverOf(request: Counted, person: IdentityId, directory: Directory): boolean {
  return stagesOf(request.requirement).some((stage) =>
    isAmong(approversOf(request, stage, directory), person),
  );
}

function isAmong(people: readonly Identity[], person: IdentityId): boolean {
  return people.some((one) => one.id === person);
}

/**
 * The stages in which this person's approval counts when pressed now: the open stage of every policy that includes
 * them and in which they have not counted yet, as a person counts once per policy, over all its stages.
 *
 * When everything is met though no press has found it so, because somebody is eligible again, any approver's press
 * settles it, their second one too: silence approves nothing.
 */
export function stagesCounting(
  request: Counted,
  person: IdentityId,
  via: Via,
  directory: Directory,
): readonly number[] | Refusal {
  const progress = new Map(progressOf(request, directory).map((one) => [one.stage.number, one]));
  const settles = isMet([...progress.values()]);
  const eligibilities = request.requirement.demands
    .filter((demand) => demand.stages.length > 0)
    .map((demand) => {
      const stages = demand.stages.flatMap((stage) => progress.get(stage.number) ?? []);
      return eligibilityIn(stages, settles, request, person, via, directory);
    });
  const counting = eligibilities.flatMap((one) => (typeof one === "number" ? [one] : []));
  if (counting.length > 0) return counting;
  if (eligibilities.includes("elsewhere")) {
    return refuse(
      "not_an_approver",
      "You can decide this stage, but not from here: its policy names where it is decided.",
    );
  }
  if (eligibilities.includes("not open")) {
    return refuse(
      "stage_not_open",
      "Your approval is for a stage that is not open; an earlier stage is still undecided, or yours is already met.",
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
  settles: boolean,
  request: Counted,
  person: IdentityId,
  via: Via,
  directory: Directory,
): StageEligibility {
  const counted = stages.find((one) => one.given.includes(person));
  if (counted !== undefined && !settles) return "counted";
  const mine = stages.filter((one) => isAmong(approversOf(request, one.stage, directory), person));
  const open = settles ? (counted ?? mine[0]) : mine.find((one) => one.open);
  if (open === undefined) return mine.length === 0 ? "not asked" : "not open";
  return mayDecideVia(open.stage, via) ? open.stage.number : "elsewhere";
}

/** Whether the policy lets this stage be decided through the door the press came in by. */
export function mayDecideVia(stage: Stage, via: Via): boolean {
  return stage.via === undefined || stage.via.some((one) => one === via);
}

/** The stages that are open and were not before, and whom that asks. */
export function newlyOpen(
  request: Counted,
  directory: Directory,
): { readonly opened: readonly number[]; readonly asked: readonly AskedApprover[] } {
  const known = new Set(request.openings.map((opening) => opening.stage));
  const stages = progressOf(request, directory).flatMap((one) =>
    one.open && !known.has(one.stage.number) ? [one.stage] : [],
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
