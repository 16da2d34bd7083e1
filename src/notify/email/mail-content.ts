import type { AccessText, CardText, Fact } from "../../wording/card-text.ts";
import type { Line } from "../../wording/line.ts";
import type { Quotation } from "../../wording/user-text.ts";
import type { WayToAct } from "./ways-to-act.ts";

/** The content of an e-mail, in order, before it is formatted as text and as HTML. */
export interface Content {
  readonly heading: Line;
  readonly lines: readonly Line[];
  /** The scopes, the full reason and the facts for a decision; null: the e-mail is not about a request. */
  readonly about: RequestContent | null;
  readonly ways: readonly WayToAct[];
}

export interface RequestContent {
  readonly access: AccessText;
  readonly terms: readonly Fact[];
  readonly reason: Quotation;
  readonly facts: readonly Fact[];
  readonly words: readonly Quotation[];
}

export function requestContent({
  access,
  terms,
  reason,
  facts,
  quotations: words,
}: CardText): RequestContent {
  return { access, terms, reason, facts, words };
}

/** Below every e-mail. */
export const footer =
  "Sent by jit-access. Replies are not read, and nothing in this e-mail can approve or change anything.";
