import type { Reply } from "../chat/reply.ts";
import { parseDialogRef } from "../chat/dialog.ts";
import type { Caller } from "../service/caller.ts";
import { cardActions, type CardAction } from "../service/card.ts";
import type { ChatAccount } from "../service/messenger.ts";
import { menuActions, type MenuAction } from "../words/labels.ts";
import { patienceMs, replyTo, senderOf, within, type InboundParts } from "./answering.ts";
import { createSpeaker, replyMessage, replyView, type Seat } from "./conversing.ts";
import { publishHome } from "./home.ts";
import { blockActions } from "./payloads.ts";

const decisions: ReadonlySet<CardAction> = new Set(["approve", "done"]);

/** Buttons: on cards, of menus, and an administrator's for linking. */
export function listenToPresses(parts: InboundParts): void {
  const { app, chat, client } = parts;
  const speaker = createSpeaker(client, parts.cards);
  app.action(/^(card|menu|account):/, async ({ ack, body, respond }) => {
    const parsed = blockActions.safeParse(body);
    const pressed = parsed.success ? parsed.data.actions[0] : undefined;
    if (!parsed.success || pressed === undefined) return ack();
    const { container, user, trigger_id: triggerId, view } = parsed.data;
    const sender = senderOf(parsed.data);
    const [group = "", name = ""] = pressed.action_id.split(":");
    const isHome = view?.type === "home";
    const { channel_id: channel, message_ts: ts } = container;
    const seatFor = (caller: Caller): Seat => ({
      caller,
      triggerId,
      viewId: view?.type === "modal" ? (view.id ?? null) : null,
      message:
        channel === undefined || ts === undefined || container.is_ephemeral === true ? null : { channel, ts },
      whisper: (message) =>
        isHome && channel === undefined
          ? client.views.open({
              trigger_id: triggerId,
              view: replyView({ kind: "text", lines: [[message.text]], buttons: [] }),
            })
          : respond({ response_type: "ephemeral", replace_original: false, ...message }),
    });
    const action = cardAction(name);
    // The secret takes its time where targets are slow, and Slack's leave to open a modal does not: opened first.
    if (group === "card" && (action === "show_credential" || action === "replace_credential")) {
      await ack();
      const known = await parts.known(sender);
      if ("caller" in known) {
        const answer = chat.press(known.caller, action, aboutOf(pressed.value));
        return speaker.showSoon(
          seatFor(known.caller),
          answer,
          "Your access is being made. This takes a moment.",
        );
      }
    }
    const working = replyTo(parts, sender, name, (caller) =>
      pressing(parts, caller, group, name, pressed.value),
    );
    // A decision is committed before Slack hears that it arrived, as long as that is soon.
    if (group === "card" && action !== undefined && decisions.has(action)) await within(working, patienceMs);
    await ack();
    const { reply, caller } = await working;
    if (caller === undefined) {
      await respond({ response_type: "ephemeral", replace_original: false, ...replyMessage(reply) });
      return;
    }
    await speaker.show(seatFor(caller), reply);
    if (isHome) await publishHome(parts, user.id, caller);
  });
}

async function pressing(
  { chat }: InboundParts,
  caller: Caller,
  group: string,
  name: string,
  value: string,
): Promise<Reply> {
  if (group === "menu") {
    const menu = menuAction(name);
    return menu === undefined ? chat.run(caller, "help") : chat.menu(caller, menu);
  }
  if (group === "account") {
    const { account, identityId } = linkOf(value);
    return account === undefined ? chat.run(caller, "help") : chat.link(caller, account, identityId);
  }
  const action = cardAction(name);
  return action === undefined ? chat.run(caller, "help") : chat.press(caller, action, aboutOf(value));
}

function aboutOf(value: string): { readonly requestId: string; readonly revision: string } {
  const [requestId = "", revision = ""] = value.split(" ");
  return { requestId, revision };
}

function cardAction(name: string): CardAction | undefined {
  return cardActions.find((one) => one === name);
}

function menuAction(name: string): MenuAction | undefined {
  return menuActions.find((one) => one === name);
}

function linkOf(value: string): {
  readonly account: ChatAccount | undefined;
  readonly identityId: string | null;
} {
  const ref = parseDialogRef(
    JSON.stringify({ ...jsonObject(value), id: "link", requestId: null, revision: null }),
  );
  const { identityId } = jsonObject(value);
  return {
    account: ref?.account ?? undefined,
    identityId: typeof identityId === "string" ? identityId : null,
  };
}

function jsonObject(text: string): { readonly [name: string]: unknown } {
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === "object" && read !== null ? { ...read } : {};
  } catch {
    return {};
  }
}
