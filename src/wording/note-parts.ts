import type { Card, CardAction } from "../service/views/card.ts";
import type { Line, TextSpan } from "./line.ts";
import type { Quotation } from "./user-text.ts";

/** What a note about a request is made from. */
export interface NoteSource {
  readonly card: Card;
  /** The reader is the requester. */
  readonly isOwn: boolean;
  readonly who: TextSpan;
  readonly whose: Line;
  readonly access: Line;
}

/** A note as it is worded. */
export interface NoteContent {
  readonly heading: Line;
  readonly lines: readonly Line[];
  readonly quotations?: readonly Quotation[];
  /** What is worth pressing now; shown if the card has it. */
  readonly press: readonly CardAction[];
}

/** What an approver can press on what waits for them. */
export const deciding: readonly CardAction[] = ["approve", "deny", "approve_for_less", "details"];

/** What a reviewer can press on an emergency access. */
export const judging: readonly CardAction[] = ["justified", "not_justified", "revoke"];

/** Until when it waits; nothing once it is decided. */
export function decideUntil({ request }: Card): readonly Line[] {
  const { approvalDeadline } = request;
  return request.status !== "PENDING" || approvalDeadline === null
    ? []
    : [["To be decided before ", { time: approvalDeadline }, ". Without a decision nothing is given."]];
}
