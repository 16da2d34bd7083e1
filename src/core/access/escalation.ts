import type { AccessRequest, Actor, AskedApprover, StageOpening } from "./access-request.ts";
import type { Stage } from "../policy/requirement-model.ts";
import { approversOf, eligible, progressOf } from "./approvals.ts";
import type { RequestEvent } from "./events.ts";
import type { Instant } from "../values/ids.ts";
import type { Directory } from "../values/identity.ts";
import { stagesOf } from "../policy/requirement.ts";
import { earliest, hourMs, plus } from "../values/time.ts";

/**
 * When time alone will next do something to this request: its deadline, a reminder, an escalation, an overdue review.
 * Null: never. Kept in an indexed column, so that a sweep looks only at what is due.
 */
export function nextDueAt(request: AccessRequest): Instant | null {
  switch (request.phase) {
    case "PENDING":
      return earliest(request.approvalDeadline, ...stageTimes(request));
    case "APPROVED":
      return request.claimDeadline;
    case "CLAIMED": {
      const { breakGlass } = request;
      const isOwed =
        breakGlass !== undefined && breakGlass.reviews.length === 0 && breakGlass.overdueAt === null;
      return isOwed ? breakGlass.reviewDueAt : null;
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

/** Stages that have begun and lack votes. Eligibility of the voters is asked when something is due, not here. */
function openStages(
  request: AccessRequest,
): readonly { readonly stage: Stage; readonly opening: StageOpening }[] {
  return stagesOf(request.requirement).flatMap((stage) => {
    const opening = request.openings.find((one) => one.stage === stage.number);
    const votes = request.votes.filter((vote) => vote.stages.includes(stage.number)).length;
    return opening === undefined || votes >= stage.required ? [] : [{ stage, opening }];
  });
}

/** More pings about the same thing within an hour would teach people to look away. */
export const remindersPerHourMax = 3;

/** The stage's reminders without those that would be one too many in their hour. */
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

/** Each further list is asked after each further SLA, counted from the stage's start. */
function nextEscalationAt(stage: Stage, opening: StageOpening): Instant | undefined {
  return stage.slaMs === undefined || opening.level >= stage.escalateTo.length
    ? undefined
    : plus(opening.at, stage.slaMs * (opening.level + 1));
}

/** Reminders and escalations whose time has come. What was missed during an outage is caught up in one go. */
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
      const given = progress.find((one) => one.stage === stage)?.given ?? [];
      const people = remindable(request, stage, directory).filter((one) => !given.includes(one.identityId));
      events.push({ type: "ApprovalReminded", at: now, by, stage: stage.number, count, people });
    }
    let step = opening;
    let asked = request.asked.filter((one) => one.stage === stage.number);
    for (
      let at = nextEscalationAt(stage, step);
      at !== undefined && at <= now;
      at = nextEscalationAt(stage, step)
    ) {
      const people = furtherPeople(request, stage, step.level, asked, directory);
      asked = [...asked, ...people];
      step = { ...step, level: step.level + 1 };
      events.push({ type: "ApprovalEscalated", at: now, by, stage: stage.number, level: step.level, people });
    }
    return events;
  });
}

/** Who decides the stage today: who has left is told nothing more, who has joined hears of it. */
function remindable(request: AccessRequest, stage: Stage, directory: Directory): readonly AskedApprover[] {
  const asked = request.asked.filter((one) => one.stage === stage.number);
  return approversOf(request, stage, directory).map(
    ({ id }) =>
      asked.find((one) => one.identityId === id) ?? {
        identityId: id,
        stage: stage.number,
        escalated: false,
      },
  );
}

function furtherPeople(
  request: AccessRequest,
  stage: Stage,
  level: number,
  asked: readonly AskedApprover[],
  directory: Directory,
): readonly AskedApprover[] {
  const known = new Set(asked.map((one) => one.identityId));
  return eligible(request, stage.escalateTo[level] ?? [], directory)
    .filter((person) => !known.has(person.id))
    .map((person) => ({ identityId: person.id, stage: stage.number, escalated: true }));
}
