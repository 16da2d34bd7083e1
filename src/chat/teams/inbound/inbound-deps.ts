import type { Chat } from "../../conversation/chat.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import type { BackgroundTasks } from "./background-tasks.ts";
import type { ConversationReferences } from "../people/conversation-references.ts";
import type { TeamsPeople } from "../people/people.ts";
import type { RecordedAnswers } from "./recorded-answers.ts";
import type { Responder } from "./responder.ts";

/** The result of an activity: the body of an invoke's answer, nothing for other activities. */
export interface Handled {
  readonly body?: object;
  /** The body holds a credential. */
  readonly isSecret?: boolean;
}

export interface InboundDeps {
  readonly chat: Chat;
  readonly cards: CardService;
  readonly people: TeamsPeople;
  readonly conversations: ConversationReferences;
  readonly responder: Responder;
  readonly recordedAnswers: RecordedAnswers;
  readonly backgroundTasks: BackgroundTasks;
  readonly now: () => number;
  readonly onFault: (fault: unknown) => void;
}
