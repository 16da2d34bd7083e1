import type { ModalView } from "@slack/types";
import type { Reply } from "../chat/reply.ts";
import type { Caller } from "../service/caller.ts";
import type { CardService } from "../service/chat-people.ts";
import { buttonRow, cardBlocks, cardMessage, lineBlock, menuButton, type Message } from "./cards.ts";
import { credentialView, dialogView, linesText, noticeView } from "./modals.ts";
import type { SlackClient } from "./outbound.ts";
import { limits, mrkdwn } from "./text.ts";
import { cardText, type Line } from "../words/card-text.ts";

/** Where a person is and how an answer reaches them, them alone. */
export interface Seat {
  readonly caller: Caller;
  /** Opens a modal within 3 s of the press; null: there is none, as from a message. */
  readonly triggerId: string | null;
  /** A modal that is open already, to be changed instead of opening another. */
  readonly viewId: string | null;
  /** The message whose button was pressed. */
  readonly message: { readonly channel: string; readonly ts: string } | null;
  /** Says something where only this person reads it. */
  readonly whisper: (message: Message) => Promise<unknown>;
}

const titles: { readonly [Kind in Reply["kind"]]: string } = {
  text: "JIT access",
  card: "Request",
  cards: "Requests",
  dialog: "JIT access",
  home: "Home",
  details: "Details",
  credential: "Your credential",
  preparing: "Preparing…",
  refused: "Not possible",
  errors: "JIT access",
};

/** What a reply is as a message for one person. Secrets and forms are no messages: they have no way through here. */
export function replyMessage(reply: Reply): Message {
  switch (reply.kind) {
    case "text":
      return whispered(reply.lines, buttonRow(reply.buttons.map(menuButton)));
    case "card":
      return whispered(reply.lead, cardMessage(reply.card).blocks);
    case "cards":
      return whispered(reply.lines, [
        ...reply.cards.flatMap((card) => cardBlocks(cardText(card))),
        ...buttonRow(reply.buttons.map(menuButton)),
      ]);
    case "details":
      return whispered(reply.lines, []);
    case "refused":
      return whispered(reply.lines, buttonRow(reply.buttons.map(menuButton)));
    case "preparing":
      return whispered(reply.lines, []);
    case "home":
      return whispered(reply.home.lead, []);
    case "errors":
      return whispered(
        reply.errors.map(({ message }) => [message]),
        [],
      );
    case "dialog":
    case "credential":
      return whispered([["Open this in Slack's own window: press the button again."]], []);
  }
}

function whispered(lines: readonly Line[], blocks: Message["blocks"]): Message {
  return {
    text: mrkdwn(lines[0] ?? ["JIT access"]),
    blocks: [...lines.map(lineBlock), ...blocks].slice(0, limits.blocks),
  };
}

/** A reply as a modal. */
export function replyView(reply: Reply): ModalView {
  if (reply.kind === "dialog") return dialogView(reply.dialog);
  if (reply.kind === "credential") return credentialView(reply);
  const { blocks } = replyMessage(reply);
  return noticeView(titles[reply.kind], [], blocks);
}

/** Whether an answer has to be a modal: a form, a secret, or something long that was asked for. */
export function isForModal(reply: Reply): boolean {
  return (
    reply.kind === "dialog" ||
    reply.kind === "credential" ||
    reply.kind === "details" ||
    reply.kind === "preparing"
  );
}

/** Gives people their answers, wherever they are. */
export function createSpeaker(client: SlackClient, cards: CardService) {
  const show = async (seat: Seat, reply: Reply): Promise<void> => {
    await refresh(client, cards, seat, reply);
    if (seat.viewId !== null) {
      await client.views.update({ view_id: seat.viewId, view: replyView(reply) });
      return;
    }
    if (isForModal(reply) && seat.triggerId !== null) {
      await client.views.open({ trigger_id: seat.triggerId, view: replyView(reply) });
      return;
    }
    // The message itself says it: pressing Approve on a card needs no second answer.
    if (reply.kind === "card" && reply.lead.length === 0 && seat.message !== null) return;
    await seat.whisper(
      seat.message !== null && reply.kind === "card" ? leadOnly(reply.lead) : replyMessage(reply),
    );
  };
  return {
    show,
    /** Opens a modal at once and fills it when the answer is there: Slack's leave to open one is over after 3 s. */
    async showSoon(seat: Seat, answer: Promise<Reply>, meanwhile: string): Promise<void> {
      if (seat.triggerId === null) return show(seat, await answer);
      const opened = await client.views.open({
        trigger_id: seat.triggerId,
        view: noticeView("Preparing…", [[meanwhile]]),
      });
      await show({ ...seat, viewId: opened.view?.id ?? null }, await answer);
    },
  };
}

function leadOnly(lead: readonly Line[]): Message {
  return { text: linesText(lead) || "Done.", blocks: lead.map(lineBlock) };
}

/** Makes the message whose button was pressed true at once, also for who came too late; the relay does the others. */
async function refresh(client: SlackClient, cards: CardService, seat: Seat, reply: Reply): Promise<void> {
  if (seat.message === null || (reply.kind !== "card" && reply.kind !== "refused")) return;
  const { card } = reply;
  if (card === null) return;
  const { channel, ts } = seat.message;
  const isPrivate = channel.startsWith("D");
  const shown = isPrivate ? card : await cards.cardFor(card.request.id, "channel", null);
  if (shown === undefined) return;
  try {
    await client.chat.update({ channel, ts, ...cardMessage(shown) });
  } catch {
    // The relay rewrites every copy besides; that it is a little later harms nobody.
  }
}
