import type { ModalView } from "@slack/types";
import { isRefusal } from "../../../core/values/refusals.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { Card } from "../../../service/views/card.ts";
import type { CardService } from "../../../service/messaging/card-source.ts";
import { lineBlock } from "../views/buttons.ts";
import { cardMessage, type Message } from "../views/cards.ts";
import { deliveryFaultOf, slackErrorOf } from "../connection/delivery-faults.ts";
import { linesText, noticeView } from "../views/dialogs.ts";
import { settledNote } from "../views/notes.ts";
import type { SlackClient } from "../connection/slack-client.ts";
import { isForModal, replyMessage, replyView } from "../views/replies.ts";

/** Where a person is and how an answer reaches them, them alone. */
export interface ReplyTarget {
  /** Undefined: somebody we do not know. */
  readonly caller: Caller | undefined;
  /** Opens a window, once and within 3 s of the press. */
  readonly triggerId: string;
  /** A window that is open already, to be changed instead of opening another. */
  readonly viewId: string | null;
  /** The message whose button was pressed; a note stands below a card and is no copy of it. */
  readonly message: { readonly channel: string; readonly ts: string; readonly isNote: boolean } | null;
  /** Says something where only this person reads it. */
  readonly sendEphemeral: (message: Message) => Promise<unknown>;
}

/** A card is sent again at most this often because it changed while it was being sent. */
const refreshMax = 3;
const secretTriesMax = 3;
/** Longer than this nobody looks at a window that does not change. */
const retryAfterMaxMs = 20_000;
/** How long a window waits for slow targets. */
const preparingMs = 60_000;

const betweenTriesMs = 1_500;

/** Gives people their answers, wherever they are. */
export function createResponder(client: SlackClient, cards: CardService, pauseMs = betweenTriesMs) {
  const show = async (replyTarget: ReplyTarget, reply: Reply): Promise<void> => {
    await refresh(client, cards, replyTarget, reply);
    if (replyTarget.viewId !== null) {
      await client.views.update({ view_id: replyTarget.viewId, view: replyView(reply) });
      return;
    }
    if (isForModal(reply)) {
      const opened = await openWindow(client, replyTarget, replyView(reply));
      if (opened === undefined) await replyTarget.sendEphemeral(windowMissed);
      return;
    }
    await replyTarget.sendEphemeral(
      replyTarget.message !== null && reply.kind === "card" ? leadOnly(reply.lead) : replyMessage(reply),
    );
  };

  /** Changes a window that is there, as often as it takes within reason; false: it could not be. */
  const fill = async (viewId: string, view: ModalView): Promise<boolean> => {
    for (let tries = 1; ; tries++) {
      try {
        await client.views.update({ view_id: viewId, view });
        return true;
      } catch (error) {
        // Slack says that it is not there: the person closed it.
        if (tries === secretTriesMax || slackErrorOf(error) === "not_found") return false;
        const { retryAfterMs = pauseMs } = deliveryFaultOf(error);
        await pause(Math.min(retryAfterMs, retryAfterMaxMs));
      }
    }
  };

  return {
    show,
    /**
     * Shows a secret. The window is there before the secret is made: what nobody could see is not made. While targets
     * are being prepared the window waits for them.
     */
    async showSecret(replyTarget: ReplyTarget, make: () => Promise<Reply>): Promise<void> {
      const viewId = await openWindow(client, replyTarget, preparingView);
      if (viewId === undefined) return void (await replyTarget.sendEphemeral(windowMissed));
      let reply = await make();
      for (let waited = 0; reply.kind === "preparing" && waited < preparingMs; waited += pauseMs) {
        await pause(pauseMs);
        reply = await make();
      }
      const isFilled = await fill(viewId, replyView(reply));
      await refresh(client, cards, replyTarget, reply);
      if (!isFilled)
        await replyTarget.sendEphemeral(reply.kind === "credential" ? secretLost : replyMessage(reply));
    },
  };
}

const preparingView = noticeView("Preparing…", [["Your access is being made. This takes a moment."]]);

const windowMissed = leadOnly([
  ["Slack did not open the window, so nothing was shown and nothing was changed. Press again."],
]);

const secretLost = leadOnly([
  ["Your access has started, but Slack did not show the credential. Press Replace credential for a new one."],
]);

/** The window's id; undefined when Slack does not open it. */
async function openWindow(
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
 * Makes the message whose button was pressed true at once, also for who came too late; the relay does the others. What
 * changes while it is being sent is sent again: the relay may have written the message meanwhile.
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
      const state = await cards.stateOf(id);
      if (times === refreshMax || state?.version === card.version) return;
      card = await cardIn(channel, cards, caller, id);
    }
  } catch {
    // The relay rewrites every copy besides; that it is a little later harms nobody.
  }
}

/** Which request the press has changed or has told the truth about. */
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

/** In a private message as its reader may see it, elsewhere as everybody may. */
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
