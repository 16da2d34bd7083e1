import type { Card, CardAction } from "../service/card.ts";
import type { RequestView } from "../service/views.ts";
import { durationWords } from "./duration-words.ts";

/** A piece of a sentence: our words, a moment for the reader's own time zone (RFC 3339), or somebody's own words. */
export type Part = string | { readonly time: string } | { readonly said: string };
export type Line = readonly Part[];

/**
 * A card put into words, for any surface to lay out: our facts above, people's own words apart from them and below.
 * Parts with `said` are data: never markup, never a link, never a mention.
 */
export interface CardText {
  readonly requestId: string;
  readonly revision: string;
  /** One line: who wants what, or how it came out. */
  readonly heading: Line;
  readonly facts: readonly { readonly label: string; readonly value: Line }[];
  /** What people wrote: reason, ticket, comments. */
  readonly words: readonly { readonly label: string; readonly text: string }[];
  /** What the reader is asked to do, or what has become of it. */
  readonly status: Line;
  readonly actions: readonly CardAction[];
}

/** The same words for every surface. */
export function cardText(card: Card): CardText {
  const { request } = card;
  return {
    requestId: request.id,
    revision: request.revision,
    heading: headingOf(card),
    facts: factsOf(card),
    words: wordsOf(card),
    status: statusLine(card),
    actions: card.actions,
  };
}

function headingOf(card: Card): Line {
  const { request } = card;
  const isOwn = card.audience === "requester";
  const who: Part = isOwn ? "You" : { said: card.subjectName };
  const of: Line = isOwn ? ["your"] : [{ said: card.subjectName }, "'s"];
  const isMore = request.extends !== null;
  const access = request.breakGlass ? " emergency access" : isMore ? " extension" : " access";
  switch (request.status) {
    case "PENDING":
      return [who, isOwn ? " asked for" : " asks for", isMore ? " more time" : " access"];
    case "APPROVED":
      return request.breakGlass ? [who, " took emergency access"] : ["Approved: ", ...of, access];
    case "ACTIVE":
      return ["Active: ", ...of, access];
    case "COMPLETED":
      return isMore ? ["Approved: ", ...of, access] : ["Over: ", ...of, access];
    case "EXPIRED":
    case "REVOKED":
      return ["Over: ", ...of, access];
    case "DENIED":
    case "CANCELLED":
    case "TIMED_OUT":
      return [endedText(request.status), ": ", ...of, access];
    case "FAILED":
      return ["Failed: ", ...of, access];
  }
}

function factsOf(card: Card): CardText["facts"] {
  const { request } = card;
  const facts: Fact[] = [
    { label: "Access", value: [request.scopes.join(", ")] },
    { label: request.extends === null ? "For" : "More time", value: [timeText(request)] },
  ];
  if (request.extends !== null) facts.push({ label: "Extends", value: [request.extends] });
  if (card.askedByName !== null) facts.push({ label: "Asked by", value: [{ said: card.askedByName }] });
  if (request.risk !== null) facts.push({ label: "Risk", value: [riskText(request.risk)] });
  if (request.approvals.length > 0) facts.push({ label: "Approvals", value: approvalsLine(card) });
  const escalated = unrepeated(request.approvers.filter((one) => one.status === "ESCALATED"));
  if (request.status === "PENDING" && escalated.length > 0) {
    facts.push({ label: "Escalated to", value: [{ said: namesText(escalated.map((one) => one.name)) }] });
  }
  if (card.askedAs.length > 0 && request.status === "PENDING") {
    facts.push({ label: "You are asked as", value: [card.askedAs.join(", ")] });
  }
  if (card.lastDecision !== null && card.audience !== "requester") {
    facts.push({ label: "Last time", value: lastTime(card.lastDecision) });
  }
  if (request.review !== null) facts.push({ label: "Review", value: reviewLine(request.review) });
  return facts;
}

interface Fact {
  readonly label: string;
  readonly value: Line;
}

function timeText({ duration, grantedDuration }: RequestView): string {
  return grantedDuration === null || grantedDuration === duration
    ? durationWords(duration)
    : `${durationWords(grantedDuration)} (asked: ${durationWords(duration)})`;
}

/** `60 of 100: production +40, write +20` */
export function riskText({ score, factors }: NonNullable<RequestView["risk"]>): string {
  const parts = factors.map((one) => `${one.name} +${one.points}`).join(", ");
  return parts === "" ? `${score} of 100` : `${score} of 100: ${parts}`;
}

/** How many of how many, and who; whose API key it was and who made that. */
function approvalsLine({ request }: Card): Line {
  return request.approvals.flatMap((one, index): Line => {
    const stage = request.approvals.length === 1 ? "" : `stage ${one.stage}: `;
    const count = `${stage}${Math.min(one.given, one.required)} of ${one.required}`;
    const given = request.approvers.filter(
      ({ stage: number, status }) => number === one.stage && status === "APPROVED",
    );
    const names = given.map(({ name, keyMintedBy }) =>
      keyMintedBy === undefined ? name : `${name} with an API key made by ${keyMintedBy}`,
    );
    return [
      index === 0 ? count : ` · ${count}`,
      ...(names.length === 0 ? [] : [" (", { said: namesText(names) }, ")"]),
    ];
  });
}

function reviewLine({ dueAt, isOverdue, reviews }: NonNullable<RequestView["review"]>): Line {
  const last = reviews.at(-1);
  if (last !== undefined) {
    return [last.outcome === "justified" ? "judged justified " : "judged not justified ", { time: last.at }];
  }
  if (dueAt === null) return ["due once the access has started"];
  return [isOverdue ? "overdue since " : "due by ", { time: dueAt }];
}

function lastTime(last: NonNullable<Card["lastDecision"]>): Line {
  return [
    last.status.toLowerCase().replaceAll("_", " "),
    " ",
    { time: last.at },
    ...(last.byName === null ? [] : [" by ", { said: last.byName }]),
    ...(last.reason === null ? [] : [": ", { said: last.reason }]),
  ];
}

/** People's own words, each once though its author may stand in several stages; names are words of theirs too. */
function wordsOf({ request }: Card): CardText["words"] {
  const comments = request.approvers.flatMap((one) =>
    one.comment === undefined ? [] : [`${one.name}: ${one.comment}`],
  );
  return [
    { label: "Reason", text: request.reason },
    ...(request.ticket === null ? [] : [{ label: "Ticket", text: request.ticket }]),
    ...[...new Set(comments)].map((text) => ({ label: "Comment", text })),
    ...(request.review?.reviews ?? []).map(({ comment }) => ({ label: "Review", text: comment })),
  ];
}

/** One line: which access, for how long. */
export function accessLine({ request }: Card): Line {
  return [`${scopesText(request.scopes)} for ${timeText(request)}`];
}

const scopesShownMax = 3;

/** The first few scopes, and how many more there are. */
export function scopesText(scopes: readonly string[]): string {
  const more = scopes.length - scopesShownMax;
  const shown = scopes.slice(0, scopesShownMax).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

const namesShownMax = 10;

/** The first few names, and how many more there are. */
export function namesText(names: readonly string[]): string {
  const unique = [...new Set(names)];
  const more = unique.length - namesShownMax;
  const shown = unique.slice(0, namesShownMax).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function unrepeated<Person extends { readonly identityId: string }>(people: readonly Person[]): Person[] {
  return [...new Map(people.map((one) => [one.identityId, one])).values()];
}

function statusLine(card: Card): Line {
  const { request, audience, decidedBy } = card;
  const by: Line = decidedBy === null ? [] : [" by ", { said: decidedBy.name }];
  const endedBy = endedByOf(card);
  switch (request.status) {
    case "PENDING":
      return pendingLine(card);
    case "APPROVED":
      return [
        request.breakGlass ? "Taken without approval" : "Approved",
        ...(request.breakGlass ? [] : by),
        ...(request.decidedAt === null ? [] : [" ", { time: request.decidedAt }]),
        ...(request.claimDeadline === null
          ? []
          : [
              audience === "requester" ? ". Press Show credential before " : ". To be claimed before ",
              { time: request.claimDeadline },
            ]),
      ];
    case "ACTIVE":
      return request.expiresAt === null ? ["Active"] : ["Active until ", { time: request.expiresAt }];
    case "DENIED":
    case "CANCELLED":
    case "REVOKED":
      return [endedText(request.status), ...endedBy, ...when(request.endedAt), ...why(request.endReason)];
    case "COMPLETED":
      return request.extends === null
        ? ["Done", ...when(request.endedAt), ...why(request.endReason)]
        : ["Approved", ...by, ...when(request.endedAt), ": the time was added"];
    case "TIMED_OUT":
    case "FAILED":
    case "EXPIRED":
      return [endedText(request.status), ...when(request.endedAt), ...why(request.endReason)];
  }
}

/** Who ended it before its time, if somebody did. */
export function endedByOf({ endedBy }: Card): Line {
  return endedBy === null ? [] : [" by ", { said: endedBy.name }];
}

/** How it ended, in one or a few words; for what has not ended, how it stands. */
export function endedText(status: RequestView["status"]): string {
  return ended[status];
}

const ended = {
  PENDING: "Waiting for a decision",
  APPROVED: "Approved",
  ACTIVE: "Active",
  DENIED: "Denied",
  CANCELLED: "Cancelled",
  REVOKED: "Revoked",
  TIMED_OUT: "Timed out",
  FAILED: "It could not be given",
  EXPIRED: "Expired",
  COMPLETED: "Done",
} as const satisfies { readonly [Status in RequestView["status"]]: string };

function when(at: string | null): Line {
  return at === null ? [] : [" ", { time: at }];
}

function why(reason: string | null): Line {
  return reason === null ? [] : [": ", { said: reason }];
}

function pendingLine({ request, reach, audience }: Card): Line {
  const until: Line =
    request.approvalDeadline === null ? [] : [" until ", { time: request.approvalDeadline }];
  if (audience !== "requester") return ["Waiting for a decision", ...until];
  const names = request.approvers
    .filter((one) => one.status === "PENDING" || one.status === "ESCALATED")
    .map((one) => one.name);
  const asked: Line = names.length === 0 ? [] : [" Asked: ", { said: namesText(names) }, "."];
  const reached: Line =
    reach === null || reach.unreachedNames.length === 0
      ? []
      : [
          ` ${reach.reached} of ${reach.asked} approvers reached, not: `,
          { said: reach.unreachedNames.join(", ") },
          ".",
        ];
  return ["Waiting for a decision", ...until, ".", ...asked, ...reached];
}
