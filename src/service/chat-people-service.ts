import { refuse } from "../core/refusals.ts";
import type { ChatPeople } from "./chat-people.ts";
import type { ServiceContext } from "./loading.ts";

/** People of chat over the store. */
export function createChatPeople(context: ServiceContext): ChatPeople {
  void context;
  const no = refuse("identity_not_linked", "This account is not linked.");
  return {
    callerOf: async () => no,
    linkByEmail: async () => no,
    askForLink: async () => no,
    link: async () => no,
  };
}
