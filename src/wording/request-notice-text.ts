import type { NoticeKind } from "../core/effects/notices.ts";
import { needsWholeCard, type Card } from "../service/views/card.ts";
import { approverNotes } from "./approver-notice-text.ts";
import { accessLine, cardText, pushLine, scopesText, type CardText } from "./card-text.ts";
import { unreachedChannelLines } from "./delivery-text.ts";
import type { NoteAction } from "./labels.ts";
import { namesLine, type Line, type TextSpan } from "./line.ts";
import { by, why, reasonOf, activeUntil, reviewUntil, unreached, overdueTargets } from "./note-lines.ts";
import type { Quotation } from "./user-text.ts";
import { decideUntil, deciding, judging, type NoteContent, type NoteSource } from "./note-parts.ts";
import { endedByOf, endedText } from "./status-line.ts";

/** A note put into words, for any surface to lay out. */
export interface NoteText {
  readonly heading: Line;
  /** What a phone shows of it; absent: the heading. */
  readonly push?: Line;
  readonly lines: readonly Line[];
  /** What people wrote, below the lines. */
  readonly quotations?: readonly Quotation[];
  /** All of the request, for a note that asks its reader to decide: nobody decides on what they were not shown. */
  readonly card?: CardText;
  /** At most four, of those the card has. */
  readonly actions: readonly NoteAction[];
}

/** What has happened to a request, or is to be done about it, as its reader must hear it. */
export function requestNote(notice: NoticeKind, card: Card, isOver = false): NoteText {
  if (isOver) return overNote(card);
  const isOwn = card.audience === "requester";
  const who: TextSpan = { userText: card.subjectName };
  const access = accessLine(card);
  const content = notes[notice]({
    card,
    isOwn,
    who,
    whose: isOwn ? ["Your"] : [who, "'s"],
    access,
  });
  const actions = content.press.filter((action) => card.actions.includes(action));
  const isWhole = actions.some((action) => needsWholeCard.has(action));
  return {
    heading: content.heading,
    push: pushLine(content.heading, card),
    lines: isWhole
      ? content.lines.filter((line) => line !== access)
      : [...content.lines, ["Request ", card.request.id]],
    ...(isWhole
      ? {
          card: {
            ...cardText(card),
            heading: content.heading,
            push: pushLine(content.heading, card),
            actions,
          },
        }
      : { quotations: content.quotations ?? [] }),
    actions,
  };
}

/** How things stand, with nothing left to press. */
function overNote(card: Card): NoteText {
  const { heading, push, status, requestId } = cardText(card);
  return { heading, push, lines: [status, ["Request ", requestId]], actions: [] };
}

/** Every kind of news, closed: a new one without its words is a type error. */
const notes: { readonly [Notice in NoticeKind]: (source: NoteSource) => NoteContent } = {
  ...approverNotes,
  submitted: ({ card, isOwn, who, access }) => ({
    heading: isOwn ? ["Your request was sent"] : [who, " asks for access"],
    lines: [access, ...decideUntil(card)],
    press: isOwn ? ["cancel"] : deciding,
  }),
  waiting: ({ card, who, access }) => ({
    heading: ["Waiting for you: ", who, " asks for access"],
    lines: [access, ...decideUntil(card)],
    press: deciding,
  }),
  reminder: ({ card, who, access }) => ({
    heading: ["Still waiting for you: ", who, " asks for access"],
    lines: [access, ...decideUntil(card)],
    press: deciding,
  }),
  escalated: ({ card, isOwn, who, access }) => {
    const further = card.request.approvers.filter((one) => one.status === "ESCALATED").map((one) => one.name);
    const asked: readonly Line[] = further.length === 0 ? [] : [["Now also asked: ", ...namesLine(further)]];
    if (card.audience === "approver") {
      return {
        heading: ["Nobody has decided in time, so you are asked: ", who, " asks for access"],
        lines: [access, ...decideUntil(card)],
        press: deciding,
      };
    }
    return {
      heading: [isOwn ? "Your request" : "A request", " was not decided in time and went to further people"],
      lines: [access, ...asked, ...decideUntil(card)],
      press: isOwn ? ["cancel"] : [],
    };
  },
  approved,
  denied: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " request was denied", ...by(card)],
    lines: [access, ...(isOwn ? [["You can ask again, with what was missing."]] : [])],
    quotations: why(card),
    press: [],
  }),
  cancelled: ({ card, whose, access }) => ({
    heading: [...whose, " request was cancelled", ...by(card)],
    lines: [access],
    quotations: why(card),
    press: [],
  }),
  timed_out: ({ card, isOwn, whose, access }) => {
    const isUndecided = card.request.decidedAt === null;
    return {
      heading: [...whose, isUndecided ? " request timed out" : " approval was not used in time"],
      lines: [
        access,
        [isUndecided ? "Nobody decided in time." : "The credential was not shown in time."],
        ...(isOwn ? [["You can ask again."]] : []),
      ],
      press: [],
    };
  },
  failed: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access could not be given"],
    lines: [access, ...(isOwn ? [["You can ask again."]] : [])],
    quotations: why(card),
    press: [],
  }),
  started: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access has started"],
    lines: [access, ...activeUntil(card)],
    press: isOwn ? ["extend", "done"] : ["revoke"],
  }),
  extended: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access was extended"],
    lines: [access, ...activeUntil(card)],
    press: isOwn ? ["done"] : ["revoke"],
  }),
  ended: ({ card, isOwn, whose, access }) => ({
    heading: [
      ...whose,
      " access is over: ",
      endedText(card.request.status).toLowerCase(),
      ...endedByOf(card),
    ],
    lines: [access, ...(isOwn ? [["Its credential does not work any more."]] : [])],
    quotations: why(card),
    press: [],
  }),
  ending_soon: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access ends soon"],
    lines: [access, ...activeUntil(card)],
    press: isOwn ? ["extend", "done"] : [],
  }),
  unreached: ({ card }) => ({
    heading: ["Not everybody could be told of your request"],
    lines: unreached(card),
    press: ["cancel"],
  }),
  channel_unreached: ({ card, isOwn, access }) => ({
    heading: [
      isOwn
        ? "A channel could not be told of your request"
        : card.audience === "approver"
          ? "You are asked directly, because a channel could not be told"
          : "A channel could not be told of a request",
    ],
    lines: [
      access,
      ...unreachedChannelLines(card),
      [
        isOwn
          ? "People who are asked directly were told. An administrator can mend the channel."
          : "Mend the channel, or change it in the policy. Later requests are posted there again.",
      ],
    ],
    press: isOwn ? ["cancel"] : [],
  }),
  target_overdue: ({ card, whose }) => ({
    heading: ["Access that is over could not be taken back everywhere yet"],
    lines: [
      [...whose, ` access: ${scopesText(card.request.scopes)}`],
      ...overdueTargets(card),
      ["It is tried again without end. Whoever runs the target should look at it."],
    ],
    press: ["details"],
  }),
  break_glass_used: ({ card, isOwn, who, access }) => ({
    heading: isOwn ? ["You took emergency access"] : [who, " took emergency access without approval"],
    lines: [
      access,
      ...(isOwn ? [["People were alerted, each use is recorded, and it will be reviewed."]] : []),
    ],
    quotations: [reasonOf(card)],
    press: isOwn ? ["show_credential", "done"] : judging,
  }),
  break_glass_reviewed: ({ card, isOwn, access }) => {
    const last = card.request.review?.reviews.at(-1);
    return {
      heading: [
        isOwn ? "Your emergency access was judged " : "Emergency access was judged ",
        last?.outcome === "justified" ? "justified" : "not justified",
      ],
      lines: [access],
      quotations: last === undefined ? [] : [{ label: "Comment", text: last.comment }],
      press: [],
    };
  },
  review_due: ({ card, who, access }) => ({
    heading: ["Please review the emergency access of ", who],
    lines: [access, ...reviewUntil(card)],
    quotations: [reasonOf(card)],
    press: judging,
  }),
  review_overdue: ({ card, isOwn, who, access }) => ({
    heading: isOwn
      ? ["Your emergency access has not been reviewed in time"]
      : ["The review of ", who, "'s emergency access is overdue"],
    lines: [
      access,
      ...reviewUntil(card),
      ...(isOwn ? [["Ask a reviewer: until then your next emergency access may be refused."]] : []),
    ],
    press: judging,
  }),
  // Told by a note about the key itself.
  key_made: () => ({ heading: ["An API key was made in your name"], lines: [], press: [] }),
  key_expiring: ({ access }) => ({ heading: ["Your API key expires soon"], lines: [access], press: [] }),
};

function approved({ card, isOwn, whose, access }: NoteSource): NoteContent {
  const { request } = card;
  if (request.extends !== null) {
    return { heading: [...whose, " extension was approved", ...by(card)], lines: [access], press: [] };
  }
  const { claimDeadline } = request;
  const claim: readonly Line[] =
    claimDeadline === null || request.status !== "APPROVED"
      ? []
      : isOwn
        ? [["Press Show credential before ", { time: claimDeadline }, "; the time begins then."]]
        : [["The access starts when the credential is shown, before ", { time: claimDeadline }, "."]];
  return {
    heading: [...whose, " request was approved", ...by(card)],
    lines: [access, ...claim],
    press: isOwn ? ["show_credential", "cancel"] : ["revoke"],
  };
}
