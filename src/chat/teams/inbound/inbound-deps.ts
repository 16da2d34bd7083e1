import type { Chat } from "../../conversation/chat.ts";
import type { CardService } from "../../../service/messaging/card-source.ts";
import type { Background } from "./background-tasks.ts";
import type { Conversations } from "../people/conversation-references.ts";
import type { TeamsPeople } from "../people/people.ts";
import type { RecordedAnswers } from "./recorded-answers.ts";
import type { Responder } from "./responder.ts";

/** What an activity came to: the body of an invoke's answer, nothing for all others. */
export interface Handled {
  readonly body?: object;
  /** The body holds a credential. */
  readonly isSecret?: boolean;
}

export interface InboundDeps {
  readonly chat: Chat;
  readonly cards: CardService;
  readonly people: TeamsPeople;
  readonly conversations: Conversations;
  readonly responder: Responder;
  readonly recorded: RecordedAnswers;
  readonly background: Background;
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
}
