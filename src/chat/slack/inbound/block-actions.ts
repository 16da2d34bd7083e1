import type { Chat } from "../../conversation/chat.ts";
import type { Reply } from "../../conversation/reply.ts";
import { assertNever } from "../../../core/values/assert.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { CardAction } from "../../../service/views/card.ts";
import { admit, patienceMs, replyTo, senderOf, type InboundParts } from "./resolve-sender.ts";
import { publishHome } from "./app-home.ts";
import { noticeView } from "../views/dialogs.ts";
import { blockActions, type BlockActions } from "./payloads.ts";
import { buttonIds, readPressed, type Pressed } from "./button-payload.ts";
import { createSpeaker, type Seat } from "./responder.ts";
import { within } from "../../../service/async/resolve-within.ts";

const decisions: ReadonlySet<CardAction> = new Set(["approve", "done"]);
const secrets: ReadonlySet<CardAction> = new Set(["show_credential", "replace_credential"]);

/** Buttons: on cards and notes, of menus, and an administrator's for linking. */
export function listenToPresses(parts: InboundParts): void {
  const { app, chat, client } = parts;
  const speaker = createSpeaker(client, parts.cards);
  app.action(buttonIds, async ({ ack, body, respond }) => {
    const parsed = blockActions.safeParse(body);
    const button = parsed.success ? parsed.data.actions[0] : undefined;
    if (!parsed.success || button === undefined) return ack();
    const { view, trigger_id: triggerId, response_url: responseUrl } = parsed.data;
    const pressed = readPressed(button.action_id, button.value);
    const sender = senderOf(parsed.data);
    const seatOf = (caller: Caller | undefined): Seat => ({
      caller,
      triggerId,
      viewId: view?.type === "modal" ? (view.id ?? null) : null,
      message: messageOf(parsed.data, pressed),
      whisper: async ({ text, blocks }) =>
        responseUrl === undefined
          ? client.views.open({ trigger_id: triggerId, view: noticeView("JIT access", [], blocks) })
          : respond({ response_type: "ephemeral", replace_original: false, text, blocks }),
    });
    const isOf = (actions: ReadonlySet<CardAction>): boolean =>
      (pressed?.on === "card" || pressed?.on === "note") && actions.has(pressed.action);
    if (isOf(secrets)) {
      await ack();
      const admitted = await admit(parts, sender, typedOf(pressed));
      if ("reply" in admitted) return speaker.show(seatOf(undefined), admitted.reply);
      const { caller } = admitted;
      return speaker.showSecret(seatOf(caller), () => answerTo(chat, caller, pressed));
    }
    const working = replyTo(parts, sender, typedOf(pressed), (caller) => answerTo(chat, caller, pressed));
    // A decision is committed before Slack hears that it arrived, as long as that is soon.
    if (isOf(decisions)) await within(working, patienceMs);
    await ack();
    const { reply, caller } = await working;
    await speaker.show(seatOf(caller), reply);
    if (view?.type === "home" && caller !== undefined) await publishHome(parts, sender.userId, caller);
  });
}

function messageOf({ container }: BlockActions, pressed: Pressed | undefined): Seat["message"] {
  const { channel_id: channel, message_ts: ts, is_ephemeral: isEphemeral = false } = container;
  if (channel === undefined || ts === undefined || isEphemeral) return null;
  return { channel, ts, isNote: pressed?.on === "note" };
}

async function answerTo(chat: Chat, caller: Caller, pressed: Pressed | undefined): Promise<Reply> {
  if (pressed === undefined) return chat.run(caller, "help");
  switch (pressed.on) {
    case "card":
    case "note":
      return chat.press(caller, pressed.action, pressed.about);
    case "menu":
      return chat.menu(caller, pressed.action, pressed.page);
    case "account":
      return chat.link(caller, pressed.account, pressed.identityId);
    default:
      return assertNever(pressed);
  }
}

/** The same as a command, for somebody without a link; and what goes on record about them. */
function typedOf(pressed: Pressed | undefined): string {
  if (pressed === undefined) return "help";
  if (pressed.on === "account") return "link";
  return pressed.action === "ask_for_link" ? "link" : pressed.action;
}
