import type { CardService, ChatPeople } from "../service/chat-people.ts";
import type { Services } from "../service/services.ts";

/** What the conversation is made of. */
export interface ChatParts {
  readonly services: Pick<
    Services,
    "checking" | "desk" | "reading" | "evaluation" | "choosing" | "emergency" | "directory"
  >;
  readonly people: ChatPeople;
  readonly cards: CardService;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** How commands begin on this platform: `/jit `, or nothing where people just write. Absent: `/jit `. */
  readonly prefix?: string;
}
