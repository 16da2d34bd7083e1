import type { Chat } from "../../conversation/chat.ts";
import type { Reply } from "../../conversation/reply.ts";
import { assertNever } from "../../../core/values/assert.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { CardAction } from "../../../service/views/card.ts";
import { resolveCaller, timeoutMs, replyTo, senderOf, type InboundDeps } from "./resolve-sender.ts";
import { publishHome } from "./app-home.ts";
import { noticeView } from "../views/dialogs.ts";
import { blockActions, type BlockActions } from "./payloads.ts";
import { buttonIds, readButtonPayload, type ButtonPayload } from "./button-payload.ts";
import { createResponder, type ReplyTarget } from "./responder.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

const decisions: ReadonlySet<CardAction> = new Set(["approve", "done"]);
const secrets: ReadonlySet<CardAction> = new Set(["show_credential", "replace_credential"]);

/** Buttons: on cards and notes, of menus, and an administrator's for linking. */
export function listenToPresses(deps: InboundDeps): void {
  const { app, chat, client } = deps;
  const responder = createResponder(client, deps.cards);
  app.action(buttonIds, async ({ ack, body, respond }) => {
    const parsed = blockActions.safeParse(body);
    const button = parsed.success ? parsed.data.actions[0] : undefined;
    if (!parsed.success || button === undefined) return ack();
    const { view, trigger_id: triggerId, response_url: responseUrl } = parsed.data;
    const payload = readButtonPayload(button.action_id, button.value);
    const sender = senderOf(parsed.data);
    const replyTargetOf = (caller: Caller | undefined): ReplyTarget => ({
      caller,
      triggerId,
      viewId: view?.type === "modal" ? (view.id ?? null) : null,
      message: messageOf(parsed.data, payload),
      sendEphemeral: async ({ text, blocks }) =>
        responseUrl === undefined
          ? client.views.open({ trigger_id: triggerId, view: noticeView("JIT access", [], blocks) })
          : respond({ response_type: "ephemeral", replace_original: false, text, blocks }),
    });
    const isOf = (actions: ReadonlySet<CardAction>): boolean =>
      (payload?.on === "card" || payload?.on === "note") && actions.has(payload.action);
    if (isOf(secrets)) {
      await ack();
      const resolved = await resolveCaller(deps, sender, typedOf(payload));
      if ("reply" in resolved) return responder.show(replyTargetOf(undefined), resolved.reply);
      const { caller } = resolved;
      return responder.showSecret(replyTargetOf(caller), () => answerTo(chat, caller, payload));
    }
    const working = replyTo(deps, sender, typedOf(payload), (caller) => answerTo(chat, caller, payload));
    // A decision is committed before Slack hears that it arrived, as long as that is soon.
    if (isOf(decisions)) await resolveWithin(working, timeoutMs);
    await ack();
    const { reply, caller } = await working;
    await responder.show(replyTargetOf(caller), reply);
    if (view?.type === "home" && caller !== undefined) await publishHome(deps, sender.userId, caller);
  });
}

function messageOf({ container }: BlockActions, payload: ButtonPayload | undefined): ReplyTarget["message"] {
  const { channel_id: channel, message_ts: ts, is_ephemeral: isEphemeral = false } = container;
  if (channel === undefined || ts === undefined || isEphemeral) return null;
  return { channel, ts, isNote: payload?.on === "note" };
}

async function answerTo(chat: Chat, caller: Caller, payload: ButtonPayload | undefined): Promise<Reply> {
  if (payload === undefined) return chat.run(caller, "help");
  switch (payload.on) {
    case "card":
    case "note":
      return chat.press(caller, payload.action, payload.about);
    case "menu":
      return chat.menu(caller, payload.action, payload.page);
    case "account":
      return chat.link(caller, payload.account, payload.identityId);
    default:
      return assertNever(payload);
  }
}

/** The same as a command, for somebody without a link; and what goes on record about them. */
function typedOf(payload: ButtonPayload | undefined): string {
  if (payload === undefined) return "help";
  if (payload.on === "account") return "link";
  return payload.action === "ask_for_link" ? "link" : payload.action;
}
