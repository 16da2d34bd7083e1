import type { AccessRequest, Actor, AskedApprover, StageOpening } from "./access-request.ts";
import type { Stage } from "../policy/requirement-model.ts";
import { approversOf, eligiblePeople, progressOf } from "./approvals.ts";
import type { RequestEvent } from "./events.ts";
import type { Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { stagesOf } from "../policy/requirement.ts";
import { earliest, hourMs, plus } from "../values/time.ts";

/**
 * When time alone next changes this request: its deadline, a reminder, an escalation, an overdue review. Null: never.
 * Stored in an indexed column, so that a sweep reads only what is due.
 */
export function nextDueAt(request: AccessRequest): Instant | null {
  switch (request.phase) {
    case "PENDING":
      return earliest(request.approvalDeadline, ...stageTimes(request));
    case "APPROVED":
      return request.claimDeadline;
    case "CLAIMED": {
      const { breakGlass } = request;
      const isReviewMissing =
        breakGlass !== undefined && breakGlass.reviews.length === 0 && breakGlass.overdueAt === null;
      return isReviewMissing ? breakGlass.reviewDueAt : null;
    }
    default:
      return null;
  }
}

function stageTimes(request: AccessRequest): readonly Instant[] {
  return openStages(request).flatMap(({ stage, opening }) =>
    [nextReminderAt(stage, opening), nextEscalationAt(stage, opening)].filter((at) => at !== undefined),
  );
}

/**
 * Stages that have opened and lack votes. Whether voters are still eligible is checked when something is due, not
 * here.
 */
function openStages(
  request: AccessRequest,
): readonly { readonly stage: Stage; readonly opening: StageOpening }[] {
  return stagesOf(request.requirement).flatMap((stage) => {
    const opening = request.openings.find((opened) => opened.stage === stage.number);
    const votes = request.votes.filter((vote) => vote.stages.includes(stage.number)).length;
    return opening === undefined || votes >= stage.required ? [] : [{ stage, opening }];
  });
}

/** More reminders about one thing within an hour teach people to ignore them. */
export const remindersPerHourMax = 3;

/** The stage's reminders without those above the limit per hour. */
function remindersOf({ remindersMs }: Stage): readonly number[] {
  return remindersMs.reduce<readonly number[]>((kept, ms) => {
    const withinHour = kept.filter((earlier) => ms - earlier < hourMs).length;
    return withinHour < remindersPerHourMax ? [...kept, ms] : kept;
  }, []);
}

function nextReminderAt(stage: Stage, opening: StageOpening): Instant | undefined {
  const afterMs = remindersOf(stage)[opening.reminded];
  return afterMs === undefined ? undefined : plus(opening.at, afterMs);
}

/** Each `escalateTo` list is asked one SLA later than the one before, counted from the stage's start. */
function nextEscalationAt(stage: Stage, opening: StageOpening): Instant | undefined {
  return stage.slaMs === undefined || opening.level >= stage.escalateTo.length
    ? undefined
    : plus(opening.at, stage.slaMs * (opening.level + 1));
}

/** Reminders and escalations that are due. After an outage, all missed ones are made up at once. */
export function dueReminders(
  request: AccessRequest,
  directory: Directory,
  now: Instant,
  by: Actor,
): readonly RequestEvent[] {
  const progress = progressOf(request, directory);
  return openStages(request).flatMap(({ stage, opening }) => {
    const events: RequestEvent[] = [];
    const count = remindersOf(stage).filter((ms) => plus(opening.at, ms) <= now).length;
    if (count > opening.reminded) {
      const given = progress.find((entry) => entry.stage === stage)?.given ?? [];
      const people = currentApprovers(request, stage, directory).filter(
        (approver) => !given.includes(approver.identityId),
      );
      events.push({ type: "ApprovalReminded", at: now, by, stage: stage.number, count, people });
    }
    let escalated = opening;
    let asked = request.asked.filter((approver) => approver.stage === stage.number);
    for (
      let at = nextEscalationAt(stage, escalated);
      at !== undefined && at <= now;
      at = nextEscalationAt(stage, escalated)
    ) {
      const people = peopleOfNextLevel(request, stage, escalated.level, asked, directory);
      asked = [...asked, ...people];
      escalated = { ...escalated, level: escalated.level + 1 };
      events.push({
        type: "ApprovalEscalated",
        at: now,
        by,
        stage: stage.number,
        level: escalated.level,
        people,
      });
    }
    return events;
  });
}

/** The stage's current approvers: people who left are not reminded, people who joined are. */
function currentApprovers(
  request: AccessRequest,
  stage: Stage,
  directory: Directory,
): readonly AskedApprover[] {
  const asked = request.asked.filter((approver) => approver.stage === stage.number);
  return approversOf(request, stage, directory).map(
    ({ id }) =>
      asked.find((approver) => approver.identityId === id) ?? {
        identityId: id,
        stage: stage.number,
        escalated: false,
      },
  );
}

function peopleOfNextLevel(
  request: AccessRequest,
  stage: Stage,
  level: number,
  asked: readonly AskedApprover[],
  directory: Directory,
): readonly AskedApprover[] {
  const alreadyAsked = new Set(asked.map(({ identityId }) => identityId));
  return eligiblePeople(request, stage.escalateTo[level] ?? [], directory)
    .filter((person) => !alreadyAsked.has(person.id))
    .map((person) => ({ identityId: person.id, stage: stage.number, escalated: true }));
}
