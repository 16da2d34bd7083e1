import type { Card, CardAction } from "../service/card.ts";

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

function headingOf({ request, subjectName, audience }: Card): Line {
  const access = request.extends === null ? "access" : "an extension";
  const who: Part = audience === "requester" ? "You" : { said: subjectName };
  const asks = audience === "requester" ? " asked for " : " asks for ";
  switch (request.status) {
    case "PENDING":
      return [who, asks, access];
    case "APPROVED":
      return request.breakGlass
        ? [who, audience === "requester" ? " opened" : " opens", " emergency access"]
        : ["Approved: ", access, " for ", audience === "requester" ? "you" : { said: subjectName }];
    case "ACTIVE":
      return [
        request.breakGlass ? "Emergency access" : "Access",
        " is active for ",
        audience === "requester" ? "you" : { said: subjectName },
      ];
    case "DENIED":
      return ["Denied: ", access, " for ", audience === "requester" ? "you" : { said: subjectName }];
    case "CANCELLED":
      return ["Cancelled: ", access, " for ", audience === "requester" ? "you" : { said: subjectName }];
    case "TIMED_OUT":
      return ["Timed out: ", access, " for ", audience === "requester" ? "you" : { said: subjectName }];
    case "FAILED":
      return ["Failed: ", access, " for ", audience === "requester" ? "you" : { said: subjectName }];
    default:
      return ["Over: ", access, " of ", audience === "requester" ? "yours" : { said: subjectName }];
  }
}

function factsOf(card: Card): CardText["facts"] {
  const { request } = card;
  const facts: { label: string; value: Line }[] = [
    { label: "Access", value: [request.scopes.join(", ")] },
    {
      label: "For",
      value: [
        request.grantedDuration !== null && request.grantedDuration !== request.duration
          ? `${request.grantedDuration} (asked: ${request.duration})`
          : request.duration,
      ],
    },
  ];
  if (card.askedByName !== null) facts.push({ label: "Asked by", value: [{ said: card.askedByName }] });
  if (request.risk !== null) {
    const factors = request.risk.factors.map((one) => `${one.name} +${one.points}`).join(", ");
    const text = `${request.risk.score} of 100`;
    facts.push({ label: "Risk", value: [factors === "" ? text : `${text}: ${factors}`] });
  }
  if (request.approvals.length > 0) {
    const value = request.approvals
      .map((one) => {
        const count = `${Math.min(one.given, one.required)} of ${one.required}`;
        return request.approvals.length === 1 ? count : `stage ${one.stage}: ${count}`;
      })
      .join(" · ");
    facts.push({ label: "Approvals", value: [value] });
  }
  if (card.askedAs.length > 0 && request.status === "PENDING") {
    facts.push({ label: "You are asked as", value: [card.askedAs.join(", ")] });
  }
  if (card.lastDecision !== null) facts.push({ label: "Last time", value: lastTime(card.lastDecision) });
  return facts;
}

function lastTime(last: NonNullable<Card["lastDecision"]>): Line {
  return [
    last.status.toLowerCase().replace("_", " "),
    " ",
    { time: last.at },
    ...(last.byName === null ? [] : [" by ", { said: last.byName }]),
    ...(last.reason === null ? [] : [": ", { said: last.reason }]),
  ];
}

function wordsOf({ request }: Card): CardText["words"] {
  return [
    { label: "Reason", text: request.reason },
    ...(request.ticket === null ? [] : [{ label: "Ticket", text: request.ticket }]),
    ...request.approvers.flatMap((one) =>
      one.comment === undefined ? [] : [{ label: `${one.name} said`, text: one.comment }],
    ),
  ];
}

function statusLine(card: Card): Line {
  const { request, audience, decidedBy } = card;
  const by: Line = decidedBy === null ? [] : [" by ", { said: decidedBy.name }];
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
      return [ended[request.status], ...by, ...when(request.endedAt), ...why(request.endReason)];
    case "TIMED_OUT":
    case "FAILED":
    case "EXPIRED":
    case "COMPLETED":
      return [ended[request.status], ...when(request.endedAt), ...why(request.endReason)];
  }
}

const ended = {
  DENIED: "Denied",
  CANCELLED: "Cancelled",
  REVOKED: "Revoked",
  TIMED_OUT: "Timed out",
  FAILED: "The access could not be given",
  EXPIRED: "Expired",
  COMPLETED: "Done",
} as const;

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
  const asked: Line =
    names.length === 0
      ? []
      : [" Asked: ", { said: names.slice(0, 10).join(", ") }, names.length > 10 ? "…" : "", "."];
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
