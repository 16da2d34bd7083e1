import type { Caller } from "../../service/ports/caller.ts";
import { prefixOf } from "./reply-builders.ts";
import type { ChatContext } from "./chat-context.ts";
import type { Reply } from "./reply.ts";

/** The first message to a person: what the app is for, and what to do next. */
export function welcomeReply(context: ChatContext, { identity }: Caller): Reply {
  const prefix = prefixOf(context);
  return {
    kind: "text",
    lines: [
      [
        "Welcome, ",
        { userText: identity.name },
        ". Here you ask for access for a limited time, and decide for others.",
      ],
      [
        "To ask, press Request access, or type ",
        `${prefix}request read:prod:orders-db for 2h because INC-42`,
      ],
      ["Requests that wait for your decision come here as messages with buttons."],
      [`Type ${prefix}help for everything else.`],
    ],
    buttons: ["request_access", "home", "help"],
  };
}
