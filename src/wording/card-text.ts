import type { Card, CardAction } from "../service/views/card.ts";
import type { RequestView } from "../service/views/request-view.ts";
import { durationWords } from "./duration-words.ts";
import { namesLine, type Line, type TextSpan } from "./line.ts";
import type { Quotation } from "./user-text.ts";
import { endedText, statusLine } from "./status-line.ts";

export type { Line, TextSpan } from "./line.ts";

export interface Fact {
  readonly label: string;
  readonly value: Line;
}

/** What is asked for: every scope, one a line. */
export interface AccessText {
  /** Of the one catalog entry that is exactly these scopes. */
  readonly catalogName: string | null;
  readonly scopes: readonly string[];
}

/**
 * A card put into words, for any surface to lay out in this order. People's own words are data: never markup, never a
 * link, never a mention, and set apart from ours.
 */
export interface CardText {
  readonly requestId: string;
  readonly revision: string;
  /** One line: who wants what, or how it came out. */
  readonly heading: Line;
  /** What a phone shows of it before anything is opened: who, how long and what. */
  readonly push: Line;
  readonly access: AccessText;
  /** Who, and how long. */
  readonly terms: readonly Fact[];
  readonly reason: Quotation;
  /** What helps to decide. */
  readonly facts: readonly Fact[];
  /** What else people wrote: ticket, comments, why it ended. */
  readonly words: readonly Quotation[];
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
    push: pushLine(headingOf(card), card),
    access: { catalogName: card.catalogName, scopes: request.scopes },
    terms: termsOf(card),
    reason: { label: "Reason", text: request.reason },
    facts: factsOf(card),
    words: wordsOf(card),
    status: statusLine(card),
    actions: card.actions,
  };
}

/** The time stands before the scopes: those may be long, and phones cut the end. */
export function pushLine(heading: Line, { request }: Card): Line {
  return [...heading, ` · ${timeText(request)} · ${scopesText(request.scopes)}`];
}

function headingOf(card: Card): Line {
  const { request } = card;
  const isOwn = card.audience === "requester";
  const who: TextSpan = isOwn ? "You" : { userText: card.subjectName };
  const of: Line = isOwn ? ["your"] : [{ userText: card.subjectName }, "'s"];
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

function termsOf(card: Card): readonly Fact[] {
  const { request } = card;
  const who: Line = [
    { userText: card.subjectName },
    ", ",
    { userText: card.subjectEmail ?? request.identityId },
  ];
  const terms: Fact[] = card.audience === "requester" ? [] : [{ label: "Who", value: who }];
  terms.push({ label: request.extends === null ? "For" : "More time", value: [timeText(request)] });
  if (request.extends !== null) terms.push({ label: "Extends", value: [request.extends] });
  if (card.askedByName !== null) terms.push({ label: "Asked by", value: [{ userText: card.askedByName }] });
  return terms;
}

function factsOf(card: Card): readonly Fact[] {
  const { request } = card;
  const facts: Fact[] = [];
  if (request.risk !== null) facts.push({ label: "Risk", value: riskLine(request.risk) });
  if (request.approvals.length > 0) facts.push({ label: "Approvals", value: approvalsLine(card) });
  if (request.stranded !== null) {
    const value: Line = [`Too few people are left who may decide stage ${request.stranded.stage}`];
    facts.push({ label: "Stranded", value });
  }
  const escalated = uniquePeople(request.approvers.filter((one) => one.status === "ESCALATED"));
  if (request.status === "PENDING" && escalated.length > 0) {
    facts.push({ label: "Escalated to", value: namesLine(escalated.map((one) => one.name)) });
  }
  if (card.askedAs.length > 0 && request.status === "PENDING") {
    facts.push({ label: "You are asked as", value: [{ literal: card.askedAs.join(", ") }] });
  }
  if (card.noLongerAskedAs !== null && (request.status === "PENDING" || card.audience === "reviewer")) {
    facts.push({ label: "You", value: noLongerAsked(card.noLongerAskedAs, card.audience) });
  }
  if (card.lastDecision !== null && card.audience !== "requester") {
    facts.push({ label: "Last time", value: lastTime(card.lastDecision) });
  }
  if (request.review !== null) facts.push({ label: "Review", value: reviewLine(request.review) });
  return facts;
}

/** Why somebody who was asked cannot decide, or not review, any more. */
export function noLongerAsked(selectors: readonly string[], audience: Card["audience"] = "approver"): Line {
  const people: TextSpan = { literal: selectors.join(", ") };
  const what = audience === "reviewer" ? "review this: its reviewers" : "decide this: its approvers";
  return [`You can no longer ${what} are `, people, ", and you are not among them any more"];
}

function timeText({ duration, grantedDuration }: RequestView): string {
  return grantedDuration === null || grantedDuration === duration
    ? durationWords(duration)
    : `${durationWords(grantedDuration)} (asked: ${durationWords(duration)})`;
}

/** `60 of 100: production +40, write +20` */
export function riskLine({ score, factors }: NonNullable<RequestView["risk"]>): Line {
  const named = factors.flatMap((one, index): Line => [
    index === 0 ? ": " : ", ",
    { userText: one.name },
    ` ${one.points < 0 ? "" : "+"}${one.points}`,
  ]);
  return [`${score} of 100`, ...named];
}

/** How many of how many, and who; whose API key it was and who made that. */
function approvalsLine({ request }: Card): Line {
  return request.approvals.flatMap((one, index): Line => {
    const stage = request.approvals.length === 1 ? "" : `stage ${one.stage}: `;
    const count = `${stage}${Math.min(one.given, one.required)} of ${one.required}`;
    const given = request.approvers.filter(
      ({ stage: number, status }) => number === one.stage && status === "APPROVED",
    );
    const people = uniquePeople(given).flatMap(({ name, keyMintedBy }, at): Line => [
      ...(at === 0 ? [] : [", "]),
      { userText: name },
      ...(keyMintedBy === undefined ? [] : [" with an API key made by ", { userText: keyMintedBy }]),
    ]);
    return [index === 0 ? count : ` · ${count}`, ...(people.length === 0 ? [] : [" (", ...people, ")"])];
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
    ...(last.byName === null ? [] : [" by ", { userText: last.byName }]),
    ...(last.reason === null ? [] : [": ", { quote: last.reason }]),
  ];
}

/** What else people wrote, each once though its author may stand in several stages; names are words of theirs too. */
function wordsOf({ request }: Card): readonly Quotation[] {
  const comments = request.approvers.flatMap((one) =>
    one.comment === undefined ? [] : [`${one.name}: ${one.comment}`],
  );
  const { endReason } = request;
  return [
    ...(request.ticket === null ? [] : [{ label: "Ticket", text: request.ticket }]),
    ...(endReason === null ? [] : [{ label: whyLabels[request.status] ?? "Why", text: endReason }]),
    ...[...new Set(comments)].map((text) => ({ label: "Comment", text })),
    ...(request.review?.reviews ?? []).map(({ comment }) => ({ label: "Review", text: comment })),
  ];
}

const whyLabels: { readonly [Status in RequestView["status"]]?: string } = {
  DENIED: "Why denied",
  CANCELLED: "Why cancelled",
  REVOKED: "Why revoked",
};

/** One line: which access, for how long. */
export function accessLine({ request }: Card): Line {
  return [`${scopesText(request.scopes)} for ${timeText(request)}`];
}

/** What a part of a card shows in characters of scopes. */
const partScopesLength = 600;

/** The scopes that a part of a card shows, each in full. */
export function scopesOfPart(scopes: readonly string[]): readonly string[] {
  let length = 0;
  return scopes.filter((scope) => (length += scope.length) <= partScopesLength);
}

const scopesShownMax = 3;

/** The first few scopes, and how many more there are. */
export function scopesText(scopes: readonly string[]): string {
  const more = scopes.length - scopesShownMax;
  const shown = scopes.slice(0, scopesShownMax).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** Each person once, though they may stand in several stages. */
function uniquePeople<Person extends { readonly identityId: string }>(people: readonly Person[]): Person[] {
  return [...new Map(people.map((one) => [one.identityId, one])).values()];
}
