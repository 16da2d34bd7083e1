import type { CardText, Line } from "../words/card-text.ts";
import type { WayToAct } from "./what-to-do.ts";

/** What a letter says, before it is laid out as text and as HTML: in this order, our facts above people's words. */
export interface Content {
  readonly heading: Line;
  readonly lines: readonly Line[];
  readonly facts: CardText["facts"];
  readonly ways: readonly WayToAct[];
  readonly words: CardText["words"];
}

/** Below every letter. */
export const footer =
  "Sent by jit-access. Answering does nothing, and no link in this mail approves or changes anything.";
