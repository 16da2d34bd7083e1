import type { NoticeKind } from "../core/effects/notices.ts";
import type { Card } from "../service/views/card.ts";
import { noLongerAsked } from "./card-text.ts";
import type { Line } from "./line.ts";
import { reasonOf, reviewUntil } from "./note-lines.ts";
import { decideUntil, deciding, judging, type NoteContent, type NoteSource } from "./note-parts.ts";

type ApproverNotice = Extract<
  NoticeKind,
  "approver_added" | "approver_removed" | "reviewer_added" | "review_waiting" | "stranded" | "reachable"
>;

/** What is told when people change while a request, or the review of an emergency, waits for them. */
export const approverNotes: { readonly [Notice in ApproverNotice]: (source: NoteSource) => NoteContent } = {
  approver_added: ({ card, who, access }) => ({
    heading: ["You can now decide this: ", who, " asks for access"],
    lines: [access, ...decideUntil(card)],
    press: deciding,
  }),
  approver_removed: ({ card, who, access }) => ({
    heading: ["You no longer need to decide: ", who, " asks for access"],
    lines: [access, noLongerAsked(card.noLongerAskedAs ?? [])],
    press: [],
  }),
  reviewer_added: ({ card, who, access }) => ({
    heading: ["You can now review this: ", who, " took emergency access without approval"],
    lines: [access, ...reviewUntil(card)],
    quotations: [reasonOf(card)],
    press: judging,
  }),
  review_waiting: ({ card, who, access }) => ({
    heading: ["Waiting for your review: ", who, " took emergency access without approval"],
    lines: [access, ...reviewUntil(card)],
    quotations: [reasonOf(card)],
    press: judging,
  }),
  stranded: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " request waits for more approvers than there are"],
    lines: [
      access,
      ...missingApprovers(card),
      isOwn
        ? ["Administrators have been told. You can ask for the same access again now."]
        : ["Check who its approvers are: their groups, their addresses, and whether they are active."],
      ...decideUntil(card),
    ],
    press: isOwn ? ["cancel"] : [],
  }),
  reachable: ({ card, isOwn, whose, access }) => ({
    heading: [...whose, " request has enough approvers again"],
    lines: [access, ...decideUntil(card)],
    press: isOwn ? ["cancel"] : [],
  }),
};

/** Approvals still missing in the first stage that is not met, against who could give them. */
function missingApprovers({ request }: Card): readonly Line[] {
  const stage = request.stranded?.stage;
  const count = request.approvals.find((one) => one.stage === stage);
  if (count === undefined) return [];
  const able = request.approvers.filter(
    (one) => one.stage === stage && (one.status === "PENDING" || one.status === "ESCALATED"),
  ).length;
  const missing = count.required - count.given;
  return [
    [
      `${missing} more ${missing === 1 ? "approval is" : "approvals are"} needed and ${able === 0 ? "nobody" : String(able)} can give ${missing === 1 ? "it" : "them"}.`,
    ],
  ];
}
