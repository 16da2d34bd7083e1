import { timeoutMs, replyTo, type InboundDeps } from "./resolve-sender.ts";
import { slashCommand } from "./payloads.ts";
import { isForModal, replyMessage } from "../views/replies.ts";
import { createResponder } from "./responder.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

/** What is typed after `/jit`, answered where only this person reads it. */
export function listenToCommand(deps: InboundDeps): void {
  const responder = createResponder(deps.client, deps.cards);
  deps.app.command("/jit", async ({ ack, command, respond }) => {
    const body = slashCommand.safeParse(command);
    if (!body.success) return ack({ response_type: "ephemeral", text: "That could not be read; try again." });
    const {
      team_id: teamId,
      enterprise_id: enterpriseId,
      user_id: userId,
      text,
      trigger_id: triggerId,
    } = body.data;
    const sender = { userId, teamId, enterpriseId };
    const working = replyTo(deps, sender, text, (caller) => deps.chat.run(caller, unescaped(text)));
    const soon = await resolveWithin(working, timeoutMs);
    const isMessage = soon !== undefined && !isForModal(soon.reply);
    await (isMessage ? ack({ response_type: "ephemeral", ...replyMessage(soon.reply) }) : ack());
    if (isMessage) return;
    const { reply, caller } = await working;
    const sendEphemeral = (message: { text: string }) =>
      respond({ response_type: "ephemeral", replace_original: false, ...message });
    await responder.show({ caller, triggerId, viewId: null, message: null, sendEphemeral }, reply);
  });
}

/** Slack escapes these three in commands. */
function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
