import { ackWithinMs, type InboundDeps } from "./inbound-deps.ts";
import { replyTo } from "./resolve-sender.ts";
import { slashCommand } from "./payloads.ts";
import { isForModal, replyMessage } from "../views/replies.ts";
import { createResponder } from "./responder.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

/** The slash command `/jit`, answered so that only the sender can read it. */
export function listenToTypedCommands(deps: InboundDeps): void {
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
    const ids = { userId, teamId, enterpriseId };
    const answering = replyTo(deps, ids, text, (caller) => deps.chat.run(caller, unescape(text)));
    const soon = await resolveWithin(answering, ackWithinMs);
    const isMessage = soon !== undefined && !isForModal(soon.reply);
    await (isMessage ? ack({ response_type: "ephemeral", ...replyMessage(soon.reply) }) : ack());
    if (isMessage) return;
    const { reply, caller } = await answering;
    const sendEphemeral = (message: { text: string }) =>
      respond({ response_type: "ephemeral", replace_original: false, ...message });
    await responder.show({ caller, triggerId, viewId: null, message: null, sendEphemeral }, reply);
  });
}

/** Slack escapes these three characters in commands. */
function unescape(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
