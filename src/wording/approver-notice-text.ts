import type { NoticeKind } from "../core/effects/notices.ts";
import type { Card } from "../service/views/card.ts";
import { noLongerAskedLine } from "./card-text.ts";
import type { Line } from "./line.ts";
import { reasonQuotation, reviewDueLine } from "./note-lines.ts";
import {
  decideUntilLine,
  approverButtons,
  reviewerButtons,
  type NoteContent,
  type NoteSource,
} from "./note-parts.ts";

type ApproverNotice = Extract<
  NoticeKind,
  "approver_added" | "approver_removed" | "reviewer_added" | "review_waiting" | "stranded" | "reachable"
>;

/** The notes for changes of approvers and reviewers while a request or a review waits. */
export const approverNotes: { readonly [Notice in ApproverNotice]: (source: NoteSource) => NoteContent } = {
  approver_added: ({ card, who, access }) => ({
    heading: ["You can now decide this: ", who, " asks for access"],
    lines: [access, ...decideUntilLine(card)],
    buttons: approverButtons,
  }),
  approver_removed: ({ card, who, access }) => ({
    heading: ["You no longer need to decide: ", who, " asks for access"],
    lines: [access, noLongerAskedLine(card.noLongerAskedAs ?? [])],
    buttons: [],
  }),
  reviewer_added: ({ card, who, access }) => ({
    heading: ["You can now review this: ", who, " took emergency access without approval"],
    lines: [access, ...reviewDueLine(card)],
    quotations: [reasonQuotation(card)],
    buttons: reviewerButtons,
  }),
  review_waiting: ({ card, who, access }) => ({
    heading: ["Waiting for your review: ", who, " took emergency access without approval"],
    lines: [access, ...reviewDueLine(card)],
    quotations: [reasonQuotation(card)],
    buttons: reviewerButtons,
  }),
  stranded: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " request waits for more approvers than there are"],
    lines: [
      access,
      ...missingApprovers(card),
      isOwn
        ? ["Administrators have been notified. You can ask for the same access again now."]
        : ["Check who its approvers are: their groups, their addresses, and whether they are active."],
      ...decideUntilLine(card),
    ],
    buttons: isOwn ? ["cancel"] : [],
  }),
  reachable: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " request has enough approvers again"],
    lines: [access, ...decideUntilLine(card)],
    buttons: isOwn ? ["cancel"] : [],
  }),
};

/** The number of missing approvals in the stranded stage, and of people who could give them. */
function missingApprovers({ request }: Card): readonly Line[] {
  const stage = request.stranded?.stage;
  const progress = request.approvals.find((approval) => approval.stage === stage);
  if (progress === undefined) return [];
  const eligibleCount = request.approvers.filter(
    (person) => person.stage === stage && (person.status === "PENDING" || person.status === "ESCALATED"),
  ).length;
  const missing = progress.required - progress.given;
  return [
    [
      `${missing} more ${missing === 1 ? "approval is" : "approvals are"} needed and ${eligibleCount === 0 ? "nobody" : String(eligibleCount)} can give ${missing === 1 ? "it" : "them"}.`,
    ],
  ];
}
