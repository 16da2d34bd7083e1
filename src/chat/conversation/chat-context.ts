import type { AccountLinks } from "../../service/messaging/account-links.ts";
import type { CardService } from "../../service/requests/card-source.ts";
import type { Services } from "../../service/services.ts";

/** The dependencies of the conversation. */
export interface ChatContext {
  readonly services: Pick<
    Services,
    | "tokenChecks"
    | "requestCommands"
    | "requestQueries"
    | "evaluation"
    | "catalogSearch"
    | "breakGlassTerms"
    | "directory"
  >;
  readonly accountLinks: AccountLinks;
  readonly cards: CardService;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** The prefix of commands on this platform: `/jit `, or "" where people write them as messages. Absent: `/jit `. */
  readonly prefix?: string;
}
