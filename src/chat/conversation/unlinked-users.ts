import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import type { ChatAccount } from "../../service/messaging/messenger.ts";
import type { Line } from "../../wording/card-text.ts";
import { parseCommand } from "../../wording/parse-command.ts";
import { refusalText } from "../../wording/refusal-text.ts";
import { prefixOf, refusedReply } from "./reply-builders.ts";
import type { ChatContext } from "./chat-context.ts";
import type { Reply } from "./reply.ts";

/** Somebody without a link, as the platform describes them. */
export interface UnlinkedUser {
  readonly account: ChatAccount;
  readonly displayName: string;
  readonly email: string | null;
}

/**
 * Whoever is not linked can do one thing: ask for it. Everything else is answered with the ids that an administrator
 * needs, and nothing else happens. `why`: what `ChatPeople.callerOf` refused with.
 */
export async function runUnlinked(
  context: ChatContext,
  { account, displayName, email }: UnlinkedUser,
  text: string,
  why: Refusal,
): Promise<Reply> {
  if (why.refused !== "identity_not_linked") return refusedReply(context, why, null);
  const read = parseCommand(text);
  if ("error" in read || read.verb !== "link") {
    const hint: Line = [`Send ${prefixOf(context)}link to ask an administrator for it.`];
    return withIds(context, account, why, [hint], ["ask_for_link"]);
  }
  const asked = await context.accountLinks.askForLink(account, { displayName, email });
  if (isRefusal(asked)) return withIds(context, account, asked, [], []);
  const whom = asked.asked === 1 ? "An administrator was" : `${asked.asked} administrators were`;
  return {
    kind: "text",
    lines: [[`${whom} asked to link you. You can go on as soon as one has.`], idsOf(account)],
    buttons: [],
  };
}

function withIds(
  context: ChatContext,
  account: ChatAccount,
  refusal: Refusal,
  hints: readonly Line[],
  buttons: Extract<Reply, { kind: "refused" }>["buttons"],
): Reply {
  const lines = [...refusalText(refusal, prefixOf(context)), ...hints, idsOf(account)];
  return { kind: "refused", refusal, lines, card: null, buttons };
}

function idsOf({ surface, team, user }: ChatAccount): Line {
  const where = surface === "slack" ? "Slack workspace" : "Teams tenant";
  return [`For an administrator: ${where} `, { userText: team }, ", user ", { userText: user }];
}
