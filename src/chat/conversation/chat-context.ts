import type { ChatPeople } from "../../service/messaging/account-links.ts";
import type { CardService } from "../../service/messaging/card-source.ts";
import type { Services } from "../../service/services.ts";

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
