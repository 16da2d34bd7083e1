import type { AccountLinks } from "../../service/messaging/account-links.ts";
import type { CardService } from "../../service/messaging/card-source.ts";
import type { Services } from "../../service/services.ts";

/** What the conversation is made of. */
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
  /** How commands begin on this platform: `/jit `, or nothing where people just write. Absent: `/jit `. */
  readonly prefix?: string;
}
