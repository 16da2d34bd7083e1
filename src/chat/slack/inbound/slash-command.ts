import { patienceMs, replyTo, type InboundParts } from "./resolve-sender.ts";
import { slashCommand } from "./payloads.ts";
import { isForModal, replyMessage } from "../views/replies.ts";
import { createSpeaker } from "./responder.ts";
import { within } from "../../../service/async/resolve-within.ts";

/** What is typed after `/jit`, answered where only this person reads it. */
export function listenToCommand(parts: InboundParts): void {
  const speaker = createSpeaker(parts.client, parts.cards);
  parts.app.command("/jit", async ({ ack, command, respond }) => {
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
    const working = replyTo(parts, sender, text, (caller) => parts.chat.run(caller, unescaped(text)));
    const soon = await within(working, patienceMs);
    const isMessage = soon !== undefined && !isForModal(soon.reply);
    await (isMessage ? ack({ response_type: "ephemeral", ...replyMessage(soon.reply) }) : ack());
    if (isMessage) return;
    const { reply, caller } = await working;
    const whisper = (message: { text: string }) =>
      respond({ response_type: "ephemeral", replace_original: false, ...message });
    await speaker.show({ caller, triggerId, viewId: null, message: null, whisper }, reply);
  });
}

/** Slack escapes these three in commands. */
function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
