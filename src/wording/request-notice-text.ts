import type { NoticeKind } from "../core/effects/notices.ts";
import { needsWholeCard, type Card } from "../service/views/card.ts";
import { approverNotes } from "./approver-notice-text.ts";
import { accessLine, cardText, pushLine, scopesText, type CardText } from "./card-text.ts";
import { unreachedChannelLines } from "./delivery-text.ts";
import type { NoteAction } from "./labels.ts";
import { namesLine, type Line, type TextSpan } from "./line.ts";
import {
  decidedByLine,
  endReasonQuotation,
  reasonQuotation,
  activeUntilLine,
  reviewDueLine,
  unreachedLines,
  overdueTargetLines,
} from "./note-lines.ts";
import type { Quotation } from "./user-text.ts";
import {
  decideUntilLine,
  approverButtons,
  reviewerButtons,
  type NoteContent,
  type NoteSource,
} from "./note-parts.ts";
import { endedByOf, endedText } from "./status-line.ts";

/** The text of a note, which every surface lays out. */
export interface NoteText {
  readonly heading: Line;
  /** The push notification; absent: the heading. */
  readonly push?: Line;
  readonly lines: readonly Line[];
  /** User texts, shown below the lines. */
  readonly quotations?: readonly Quotation[];
  /** The whole request, for a note that asks its reader to decide: people decide only on what they were shown. */
  readonly card?: CardText;
  /** At most four, all of which the card has. */
  readonly actions: readonly NoteAction[];
}

/** The text of a notice about a request, for its reader. */
export function requestNote(notice: NoticeKind, card: Card, isOver = false): NoteText {
  if (isOver) return overNote(card);
  const isOwn = card.audience === "requester";
  const who: TextSpan = { userText: card.subjectName };
  const access = accessLine(card);
  const content = noticeTexts[notice]({
    card,
    isOwn,
    who,
    whose: isOwn ? ["Your"] : [who, "'s"],
    access,
  });
  const actions = content.buttons.filter((action) => card.actions.includes(action));
  const needsCard = actions.some((action) => needsWholeCard.has(action));
  return {
    heading: content.heading,
    push: pushLine(content.heading, card),
    lines: needsCard
      ? content.lines.filter((line) => line !== access)
      : [...content.lines, ["Request ", card.request.id]],
    ...(needsCard
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

/** The current status, without buttons. */
function overNote(card: Card): NoteText {
  const { heading, push, status, requestId } = cardText(card);
  return { heading, push, lines: [status, ["Request ", requestId]], actions: [] };
}

/** Texts for every notice; a new notice without one is a type error. */
const noticeTexts: { readonly [Notice in NoticeKind]: (source: NoteSource) => NoteContent } = {
  ...approverNotes,
  submitted: ({ card, isOwn, who, access }) => ({
    heading: isOwn ? ["Your request was sent"] : [who, " asks for access"],
    lines: [access, ...decideUntilLine(card)],
    buttons: isOwn ? ["cancel"] : approverButtons,
  }),
  waiting: ({ card, who, access }) => ({
    heading: ["Waiting for you: ", who, " asks for access"],
    lines: [access, ...decideUntilLine(card)],
    buttons: approverButtons,
  }),
  reminder: ({ card, who, access }) => ({
    heading: ["Still waiting for you: ", who, " asks for access"],
    lines: [access, ...decideUntilLine(card)],
    buttons: approverButtons,
  }),
  escalated: ({ card, isOwn, who, access }) => {
    const escalatedNames = card.request.approvers
      .filter(({ status }) => status === "ESCALATED")
      .map(({ name }) => name);
    const asked: readonly Line[] =
      escalatedNames.length === 0 ? [] : [["Now also asked: ", ...namesLine(escalatedNames)]];
    if (card.audience === "approver") {
      return {
        heading: ["Nobody has decided in time, so you are asked: ", who, " asks for access"],
        lines: [access, ...decideUntilLine(card)],
        buttons: approverButtons,
      };
    }
    return {
      heading: [`Nobody decided ${isOwn ? "your" : "a"} request in time, so more people were asked`],
      lines: [access, ...asked, ...decideUntilLine(card)],
      buttons: isOwn ? ["cancel"] : [],
    };
  },
  approved: approvedText,
  denied: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " request was denied", ...decidedByLine(card)],
    lines: [access, ...(isOwn ? [["You can ask again, with what was missing."]] : [])],
    quotations: endReasonQuotation(card),
    buttons: [],
  }),
  cancelled: ({ card, whose, access }) => ({
    heading: [...whose, " request was cancelled", ...decidedByLine(card)],
    lines: [access],
    quotations: endReasonQuotation(card),
    buttons: [],
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
      buttons: [],
    };
  },
  failed: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access could not be given"],
    lines: [access, ...(isOwn ? [["You can ask again."]] : [])],
    quotations: endReasonQuotation(card),
    buttons: [],
  }),
  started: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access has started"],
    lines: [access, ...activeUntilLine(card)],
    buttons: isOwn ? ["extend", "done"] : ["revoke"],
  }),
  extended: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access was extended"],
    lines: [access, ...activeUntilLine(card)],
    buttons: isOwn ? ["done"] : ["revoke"],
  }),
  ended: ({ card, isOwn, whose, access }) => ({
    heading: [
      ...whose,
      " access is over: ",
      endedText(card.request.status).toLowerCase(),
      ...endedByOf(card),
    ],
    lines: [access, ...(isOwn ? [["Its credential does not work any more."]] : [])],
    quotations: endReasonQuotation(card),
    buttons: [],
  }),
  ending_soon: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " access ends soon"],
    lines: [access, ...activeUntilLine(card)],
    buttons: isOwn ? ["extend", "done"] : [],
  }),
  unreached: ({ card }) => ({
    heading: ["Some approvers of your request could not be reached"],
    lines: unreachedLines(card),
    buttons: ["cancel"],
  }),
  channel_unreached: ({ card, isOwn, access }) => ({
    heading: [
      isOwn
        ? "A channel could not be notified of your request"
        : card.audience === "approver"
          ? "You are asked directly, because a channel could not be notified"
          : "A channel could not be notified of a request",
    ],
    lines: [
      access,
      ...unreachedChannelLines(card),
      [
        isOwn
          ? "People who are asked directly were notified. An administrator can fix the channel."
          : "Fix the channel, or change it in the policy. Later requests are posted there again.",
      ],
    ],
    buttons: isOwn ? ["cancel"] : [],
  }),
  target_overdue: ({ card, whose }) => ({
    heading: ["Ended access is still present at a target"],
    lines: [
      [...whose, ` access: ${scopesText(card.request.scopes)}`],
      ...overdueTargetLines(card),
      ["We keep retrying; the target's owner should check it."],
    ],
    buttons: ["details"],
  }),
  break_glass_used: ({ card, isOwn, who, access }) => ({
    heading: isOwn ? ["You took emergency access"] : [who, " took emergency access without approval"],
    lines: [
      access,
      ...(isOwn ? [["People were alerted, each use is recorded, and it will be reviewed."]] : []),
    ],
    quotations: [reasonQuotation(card)],
    buttons: isOwn ? ["show_credential", "done"] : reviewerButtons,
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
      buttons: [],
    };
  },
  review_due: ({ card, who, access }) => ({
    heading: ["Please review the emergency access of ", who],
    lines: [access, ...reviewDueLine(card)],
    quotations: [reasonQuotation(card)],
    buttons: reviewerButtons,
  }),
  review_overdue: ({ card, isOwn, who, access }) => ({
    heading: isOwn
      ? ["Your emergency access has not been reviewed in time"]
      : ["The review of ", who, "'s emergency access is overdue"],
    lines: [
      access,
      ...reviewDueLine(card),
      ...(isOwn ? [["Ask a reviewer: until then your next emergency access may be refused."]] : []),
    ],
    buttons: reviewerButtons,
  }),
  // Sent as a note about the key itself.
  key_made: () => ({ heading: ["An API key was made in your name"], lines: [], buttons: [] }),
  key_expiring: ({ access }) => ({ heading: ["Your API key expires soon"], lines: [access], buttons: [] }),
};

function approvedText({ card, isOwn, whose, access }: NoteSource): NoteContent {
  const { request } = card;
  if (request.extends !== null) {
    return {
      heading: [...whose, " extension was approved", ...decidedByLine(card)],
      lines: [access],
      buttons: [],
    };
  }
  const { claimDeadline } = request;
  const claim: readonly Line[] =
    claimDeadline === null || request.status !== "APPROVED"
      ? []
      : isOwn
        ? [["Press Show credential before ", { time: claimDeadline }, "; the time begins then."]]
        : [["The access starts when the credential is shown, before ", { time: claimDeadline }, "."]];
  return {
    heading: [...whose, " request was approved", ...decidedByLine(card)],
    lines: [access, ...claim],
    buttons: isOwn ? ["show_credential", "cancel"] : ["revoke"],
  };
}
