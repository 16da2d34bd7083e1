import type { AccessText, CardText, Fact } from "../../wording/card-text.ts";
import type { Line } from "../../wording/line.ts";
import type { Quotation } from "../../wording/user-text.ts";
import type { WayToAct } from "./ways-to-act.ts";

/** What a letter says, before it is laid out as text and as HTML: in this order. */
export interface Content {
  readonly heading: Line;
  readonly lines: readonly Line[];
  /** Every scope, the whole reason and what helps to decide; null: the letter is about no request. */
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

export function requestContent({ access, terms, reason, facts, words }: CardText): RequestContent {
  return { access, terms, reason, facts, words };
}

/** Below every letter. */
export const footer =
  "Sent by jit-access. Answering does nothing, and no link in this mail approves or changes anything.";
