import type { ModalView } from "@slack/types";
import { isRefusal } from "../../../core/values/refusals.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { Card } from "../../../service/views/card.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import { lineBlock } from "../views/buttons.ts";
import { cardMessage, type Message } from "../views/cards.ts";
import { deliveryFaultOf, slackErrorOf } from "../connection/delivery-faults.ts";
import { linesText, noticeView } from "../views/dialogs.ts";
import { settledNote } from "../views/notes.ts";
import type { SlackClient } from "../connection/slack-client.ts";
import { isForModal, replyMessage, replyView } from "../views/replies.ts";

/** Where a reply goes, so that only one person can read it. */
export interface ReplyTarget {
  /** Undefined: a sender without an identity. */
  readonly caller: Caller | undefined;
  /** Opens a modal, once and within 3 s of the press. */
  readonly triggerId: string;
  /** An open modal, which is updated instead of opening another. */
  readonly viewId: string | null;
  /** The message whose button was pressed. A note is a message below a card. */
  readonly message: { readonly channel: string; readonly ts: string; readonly isNote: boolean } | null;
  readonly sendEphemeral: (message: Message) => Promise<unknown>;
}

/** How often a card is sent at most when the request keeps changing. */
const refreshMax = 3;
const secretAttemptsMax = 3;
/** People do not wait longer for a modal that does not change. */
const retryAfterMaxMs = 20_000;
/** How long a modal waits for slow targets. */
const preparingMs = 60_000;

const defaultPauseMs = 1_500;

/** Sends replies to people in Slack. */
export function createResponder(client: SlackClient, cards: CardService, pauseMs = defaultPauseMs) {
  const show = async (replyTarget: ReplyTarget, reply: Reply): Promise<void> => {
    await refresh(client, cards, replyTarget, reply);
    if (replyTarget.viewId !== null) {
      await client.views.update({ view_id: replyTarget.viewId, view: replyView(reply) });
      return;
    }
    if (isForModal(reply)) {
      const opened = await openModal(client, replyTarget, replyView(reply));
      if (opened === undefined) await replyTarget.sendEphemeral(modalMissed);
      return;
    }
    await replyTarget.sendEphemeral(
      replyTarget.message !== null && reply.kind === "card" ? leadOnly(reply.lead) : replyMessage(reply),
    );
  };

  /** Updates an open modal, with a few retries; false: it could not be updated. */
  const updateModal = async (viewId: string, view: ModalView): Promise<boolean> => {
    for (let attempts = 1; ; attempts++) {
      try {
        await client.views.update({ view_id: viewId, view });
        return true;
      } catch (error) {
        // "not_found" means that the person has closed the modal.
        if (attempts === secretAttemptsMax || slackErrorOf(error) === "not_found") return false;
        const { retryAfterMs = pauseMs } = deliveryFaultOf(error);
        await pause(Math.min(retryAfterMs, retryAfterMaxMs));
      }
    }
  };

  return {
    show,
    /**
     * Shows a secret. It opens the modal before it creates the secret: what nobody could see is not created. While
     * targets are being prepared, the modal waits.
     */
    async showSecret(replyTarget: ReplyTarget, make: () => Promise<Reply>): Promise<void> {
      const viewId = await openModal(client, replyTarget, preparingView);
      if (viewId === undefined) return void (await replyTarget.sendEphemeral(modalMissed));
      let reply = await make();
      for (let waited = 0; reply.kind === "preparing" && waited < preparingMs; waited += pauseMs) {
        await pause(pauseMs);
        reply = await make();
      }
      const isShown = await updateModal(viewId, replyView(reply));
      await refresh(client, cards, replyTarget, reply);
      if (!isShown)
        await replyTarget.sendEphemeral(reply.kind === "credential" ? secretLost : replyMessage(reply));
    },
  };
}

const preparingView = noticeView("Preparing…", [["Your access is being made. This takes a moment."]]);

const modalMissed = leadOnly([
  ["Slack did not open the window, so nothing was shown and nothing was changed. Press again."],
]);

const secretLost = leadOnly([
  ["Your access has started, but Slack did not show the credential. Press Replace credential for a new one."],
]);

/** The id of the modal; undefined when Slack does not open it. */
async function openModal(
  client: SlackClient,
  { triggerId, viewId }: Pick<ReplyTarget, "triggerId" | "viewId">,
  view: ModalView,
): Promise<string | undefined> {
  try {
    const { view: shown } =
      viewId === null
        ? await client.views.open({ trigger_id: triggerId, view })
        : await client.views.update({ view_id: viewId, view });
    return shown?.id;
  } catch {
    return undefined;
  }
}

function leadOnly(lead: Parameters<typeof linesText>[0]): Message {
  return { text: linesText(lead) || "Done.", blocks: lead.map(lineBlock) };
}

/**
 * Updates the message whose button was pressed at once, also after a press that came too late. The relay updates all
 * other messages. If the request changes while we send, the message is sent again, because the relay may have written
 * the newer state before us.
 */
async function refresh(
  client: SlackClient,
  cards: CardService,
  replyTarget: ReplyTarget,
  reply: Reply,
): Promise<void> {
  const { message, caller } = replyTarget;
  if (message === null || caller === undefined) return;
  const id = requestOf(reply);
  if (id === undefined) return;
  const { channel, ts, isNote } = message;
  try {
    let card = cardInReply(channel, reply) ?? (await cardIn(channel, cards, caller, id));
    for (let times = 1; card !== undefined; times++) {
      await client.chat.update({ channel, ts, ...(isNote ? settledNote(card) : cardMessage(card)) });
      const version = await cards.versionOf(id);
      if (times === refreshMax || version === card.version) return;
      card = await cardIn(channel, cards, caller, id);
    }
  } catch {
    // The relay updates this message too, a little later.
  }
}

/** The request that the reply is about. */
function requestOf(reply: Reply): string | undefined {
  if (reply.kind === "credential") return reply.request.id;
  return reply.kind === "card" || reply.kind === "refused" ? reply.card?.request.id : undefined;
}

/** The card the reply was made with, where the pressed message shows the same one: in a private message. */
function cardInReply(channel: string, reply: Reply): Card | undefined {
  if (!isPrivate(channel)) return undefined;
  return reply.kind === "card" || reply.kind === "refused" ? (reply.card ?? undefined) : undefined;
}

function isPrivate(channel: string): boolean {
  return channel.startsWith("D");
}

/** The card for its reader in a private message, or for everybody in a channel. */
async function cardIn(
  channel: string,
  cards: CardService,
  caller: Caller,
  id: string,
): Promise<Card | undefined> {
  if (!isPrivate(channel)) return cards.cardFor(id, "channel", null);
  const own = await cards.cardOf(caller, id);
  return isRefusal(own) ? undefined : own;
}

async function pause(ms: number): Promise<void> {
  await new Promise((passed) => {
    setTimeout(passed, ms);
  });
}
