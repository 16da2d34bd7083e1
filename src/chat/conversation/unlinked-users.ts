import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import type { ChatAccount } from "../../service/messaging/messenger.ts";
import type { Line } from "../../wording/card-text.ts";
import { parseCommand } from "../../wording/parse-command.ts";
import { refusalText } from "../../wording/refusal-text.ts";
import { prefixOf, refusedReply } from "./reply-builders.ts";
import type { ChatContext } from "./chat-context.ts";
import type { Reply } from "./reply.ts";

/** A person whose account is not linked, as the platform describes them. */
export interface UnlinkedUser {
  readonly account: ChatAccount;
  readonly displayName: string;
  readonly email: string | null;
}

/**
 * Runs the text of a person whose account is not linked. They can only ask to be linked; everything else is answered with
 * the ids that an administrator needs. `why`: the refusal of `AccountLinks.callerOf`.
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
    return refusalWithIds(context, account, why, [hint], ["ask_for_link"]);
  }
  const result = await context.accountLinks.askForLink(account, { displayName, email });
  if (isRefusal(result)) return refusalWithIds(context, account, result, [], []);
  const whom = result.asked === 1 ? "An administrator was" : `${result.asked} administrators were`;
  return {
    kind: "text",
    lines: [[`${whom} asked to link you. You can go on as soon as one has.`], idsLine(account)],
    buttons: [],
  };
}

function refusalWithIds(
  context: ChatContext,
  account: ChatAccount,
  refusal: Refusal,
  hints: readonly Line[],
  buttons: Extract<Reply, { kind: "refused" }>["buttons"],
): Reply {
  const lines = [...refusalText(refusal, prefixOf(context)), ...hints, idsLine(account)];
  return { kind: "refused", refusal, lines, card: null, buttons };
}

function idsLine({ surface, team, user }: ChatAccount): Line {
  const organisation = surface === "slack" ? "Slack workspace" : "Teams tenant";
  return [`For an administrator: ${organisation} `, { userText: team }, ", user ", { userText: user }];
}
