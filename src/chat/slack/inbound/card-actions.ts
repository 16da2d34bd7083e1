import type { Chat } from "../../conversation/chat.ts";
import type { Reply } from "../../conversation/reply.ts";
import { assertNever } from "../../../core/values/assert.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { CardAction } from "../../../service/views/card.ts";
import { ackWithinMs, type InboundDeps } from "./inbound-deps.ts";
import { replyTo, resolveCaller, senderIdsOf } from "./resolve-sender.ts";
import { publishHome } from "./app-home.ts";
import { noticeView } from "../views/dialogs.ts";
import { blockActions, type BlockActions } from "./payloads.ts";
import { buttonIds, parseActionPayload, type ActionPayload } from "./action-payload.ts";
import { createResponder, type ReplyTarget } from "./responder.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

const decisions: ReadonlySet<CardAction> = new Set(["approve", "done"]);
const secrets: ReadonlySet<CardAction> = new Set(["show_credential", "replace_credential"]);

/** Presses of buttons: on cards and notes, in menus, and those by which an administrator links an account. */
export function listenToCardActions(deps: InboundDeps): void {
  const { app, chat, client } = deps;
  const responder = createResponder(client, deps.cards);
  app.action(buttonIds, async ({ ack, body, respond }) => {
    const parsed = blockActions.safeParse(body);
    const button = parsed.success ? parsed.data.actions[0] : undefined;
    if (!parsed.success || button === undefined) return ack();
    const { view, trigger_id: triggerId, response_url: responseUrl } = parsed.data;
    const payload = parseActionPayload(button.action_id, button.value);
    const ids = senderIdsOf(parsed.data);
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
      const resolved = await resolveCaller(deps, ids, commandOf(payload));
      if ("reply" in resolved) return responder.show(replyTargetOf(undefined), resolved.reply);
      const { caller } = resolved;
      return responder.showSecret(replyTargetOf(caller), () => answerTo(chat, caller, payload));
    }
    const answering = replyTo(deps, ids, commandOf(payload), (caller) => answerTo(chat, caller, payload));
    // Waits for the commit before acknowledging to Slack, up to the limit.
    if (isOf(decisions)) await resolveWithin(answering, ackWithinMs);
    await ack();
    const { reply, caller } = await answering;
    await responder.show(replyTargetOf(caller), reply);
    if (view?.type === "home" && caller !== undefined) await publishHome(deps, ids.userId, caller);
  });
}

function messageOf({ container }: BlockActions, payload: ActionPayload | undefined): ReplyTarget["message"] {
  const { channel_id: channel, message_ts: ts, is_ephemeral: isEphemeral = false } = container;
  if (channel === undefined || ts === undefined || isEphemeral) return null;
  return { channel, ts, isNote: payload?.on === "note" };
}

async function answerTo(chat: Chat, caller: Caller, payload: ActionPayload | undefined): Promise<Reply> {
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

/** The press as a typed command, for people without a link and for the record of their refusal. */
function commandOf(payload: ActionPayload | undefined): string {
  if (payload === undefined) return "help";
  if (payload.on === "account") return "link";
  return payload.action === "ask_for_link" ? "link" : payload.action;
}
