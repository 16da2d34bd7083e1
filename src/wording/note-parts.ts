import type { Card, CardAction } from "../service/views/card.ts";
import type { Line, TextSpan } from "./line.ts";
import type { Quotation } from "./user-text.ts";

/** The input for the text of a note about a request. */
export interface NoteSource {
  readonly card: Card;
  /** Whether the reader is the requester. */
  readonly isOwn: boolean;
  readonly who: TextSpan;
  readonly whose: Line;
  readonly access: Line;
}

/** The text of a note. */
export interface NoteContent {
  readonly heading: Line;
  readonly lines: readonly Line[];
  readonly quotations?: readonly Quotation[];
  /** Buttons that matter now; shown if the card has them. */
  readonly buttons: readonly CardAction[];
}

/** Buttons for approvers. */
export const approverButtons: readonly CardAction[] = ["approve", "deny", "approve_for_less", "details"];

/** Buttons for reviewers of a break-glass use. */
export const reviewerButtons: readonly CardAction[] = ["justified", "not_justified", "revoke"];

/** The approval deadline of a pending request; empty once it is decided. */
export function decideUntilLine({ request }: Card): readonly Line[] {
  const { approvalDeadline } = request;
  return request.status !== "PENDING" || approvalDeadline === null
    ? []
    : [["To be decided before ", { time: approvalDeadline }, ". Without a decision nothing is given."]];
}
