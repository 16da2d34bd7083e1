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

/** The requested access: every scope on a line of its own. */
export interface AccessText {
  /** The name of the catalog entry with exactly these scopes. */
  readonly catalogName: string | null;
  readonly scopes: readonly string[];
}

/**
 * The text of a card, which every surface lays out in this order. People's own words are data: never markup, links or
 * mentions, and separate from our text.
 */
export interface CardText {
  readonly requestId: string;
  readonly revision: string;
  /** One line: who requests what, or the result. */
  readonly heading: Line;
  /** The push notification: who, how long and what. */
  readonly push: Line;
  readonly access: AccessText;
  readonly terms: readonly Fact[];
  readonly reason: Quotation;
  readonly facts: readonly Fact[];
  /** What else people wrote: ticket, comments, the reason for the end. */
  readonly quotations: readonly Quotation[];
  /** What the reader should do, or the result. */
  readonly status: Line;
  readonly actions: readonly CardAction[];
}

/** The text of a card, the same on every surface. */
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
    quotations: quotationsOf(card),
    status: statusLine(card),
    actions: card.actions,
  };
}

/** The duration comes before the scopes: those may be long, and phones cut the end. */
export function pushLine(heading: Line, { request }: Card): Line {
  return [...heading, ` · ${durationText(request)} · ${scopesText(request.scopes)}`];
}

function headingOf(card: Card): Line {
  const { request } = card;
  const isOwn = card.audience === "requester";
  const who: TextSpan = isOwn ? "You" : { userText: card.subjectName };
  const whose: Line = isOwn ? ["your"] : [{ userText: card.subjectName }, "'s"];
  const isExtension = request.extends !== null;
  const access = request.breakGlass ? " emergency access" : isExtension ? " extension" : " access";
  switch (request.status) {
    case "PENDING":
      return [who, isOwn ? " asked for" : " asks for", isExtension ? " more time" : " access"];
    case "APPROVED":
      return request.breakGlass ? [who, " took emergency access"] : ["Approved: ", ...whose, access];
    case "ACTIVE":
      return ["Active: ", ...whose, access];
    case "COMPLETED":
      return isExtension ? ["Approved: ", ...whose, access] : ["Over: ", ...whose, access];
    case "EXPIRED":
    case "REVOKED":
      return ["Over: ", ...whose, access];
    case "DENIED":
    case "CANCELLED":
    case "TIMED_OUT":
      return [endedText(request.status), ": ", ...whose, access];
    case "FAILED":
      return ["Failed: ", ...whose, access];
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
  terms.push({ label: request.extends === null ? "For" : "More time", value: [durationText(request)] });
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
  const escalated = uniquePeople(request.approvers.filter(({ status }) => status === "ESCALATED"));
  if (request.status === "PENDING" && escalated.length > 0) {
    facts.push({ label: "Escalated to", value: namesLine(escalated.map(({ name }) => name)) });
  }
  if (card.askedAs.length > 0 && request.status === "PENDING") {
    facts.push({ label: "You are asked as", value: [{ literal: card.askedAs.join(", ") }] });
  }
  if (card.noLongerAskedAs !== null && (request.status === "PENDING" || card.audience === "reviewer")) {
    facts.push({ label: "You", value: noLongerAskedLine(card.noLongerAskedAs, card.audience) });
  }
  if (card.lastDecision !== null && card.audience !== "requester") {
    facts.push({ label: "Last time", value: lastDecisionLine(card.lastDecision) });
  }
  if (request.review !== null) facts.push({ label: "Review", value: reviewLine(request.review) });
  return facts;
}

/** Why a person who was asked can no longer decide or review. */
export function noLongerAskedLine(
  selectors: readonly string[],
  audience: Card["audience"] = "approver",
): Line {
  const people: TextSpan = { literal: selectors.join(", ") };
  const what = audience === "reviewer" ? "review this: its reviewers" : "decide this: its approvers";
  return [`You can no longer ${what} are `, people, ", and you are not among them any more"];
}

function durationText({ duration, grantedDuration }: RequestView): string {
  return grantedDuration === null || grantedDuration === duration
    ? durationWords(duration)
    : `${durationWords(grantedDuration)} (asked: ${durationWords(duration)})`;
}

/** `60 of 100: production +40, write +20` */
export function riskLine({ score, factors }: NonNullable<RequestView["risk"]>): Line {
  const factorSpans = factors.flatMap((one, index): Line => [
    index === 0 ? ": " : ", ",
    { userText: one.name },
    ` ${one.points < 0 ? "" : "+"}${one.points}`,
  ]);
  return [`${score} of 100`, ...factorSpans];
}

/** Approvals given of those required, and by whom. For an API key, also who made it. */
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

function lastDecisionLine(last: NonNullable<Card["lastDecision"]>): Line {
  return [
    last.status.toLowerCase().replaceAll("_", " "),
    " ",
    { time: last.at },
    ...(last.byName === null ? [] : [" by ", { userText: last.byName }]),
    ...(last.reason === null ? [] : [": ", { quote: last.reason }]),
  ];
}

/** Texts people wrote, without the repetitions of an approver of several stages. Names are user text too. */
function quotationsOf({ request }: Card): readonly Quotation[] {
  const comments = request.approvers.flatMap(({ name, comment }) =>
    comment === undefined ? [] : [`${name}: ${comment}`],
  );
  const { endReason } = request;
  return [
    ...(request.ticket === null ? [] : [{ label: "Ticket", text: request.ticket }]),
    ...(endReason === null ? [] : [{ label: endReasonLabels[request.status] ?? "Why", text: endReason }]),
    ...[...new Set(comments)].map((text) => ({ label: "Comment", text })),
    ...(request.review?.reviews ?? []).map(({ comment }) => ({ label: "Review", text: comment })),
  ];
}

const endReasonLabels: { readonly [Status in RequestView["status"]]?: string } = {
  DENIED: "Why denied",
  CANCELLED: "Why cancelled",
  REVOKED: "Why revoked",
};

/** The access and its duration, on one line. */
export function accessLine({ request }: Card): Line {
  return [`${scopesText(request.scopes)} for ${durationText(request)}`];
}

/** The characters of scopes that one part of a card shows. */
const partScopesLength = 600;

/** The scopes that one part of a card shows, each in full. */
export function scopesOfPart(scopes: readonly string[]): readonly string[] {
  let length = 0;
  return scopes.filter((scope) => (length += scope.length) <= partScopesLength);
}

const scopesShownMax = 3;

/** The first scopes, and the number of the others. */
export function scopesText(scopes: readonly string[]): string {
  const more = scopes.length - scopesShownMax;
  const shown = scopes.slice(0, scopesShownMax).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** Removes repeated people, who may be in several stages. */
function uniquePeople<Person extends { readonly identityId: string }>(people: readonly Person[]): Person[] {
  return [...new Map(people.map((person) => [person.identityId, person])).values()];
}
