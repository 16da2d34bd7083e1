import type { ModalView } from "@slack/types";
import type { Reply } from "../../conversation/reply.ts";
import { buttonRow, lineBlock, menuButton } from "./buttons.ts";
import { briefBlocks, cardMessage, type Message } from "./cards.ts";
import { homeBlocks } from "./home-view.ts";
import { credentialView } from "./credential-view.ts";
import { dialogView, noticeView } from "./dialogs.ts";
import { cardBlocks } from "./card-blocks.ts";
import { cardText } from "../../../wording/card-text.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits, mrkdwn } from "./text.ts";
import type { Line } from "../../../wording/card-text.ts";

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

/** A reply as an ephemeral message. Secrets and forms are shown in modals only. */
export function replyMessage(reply: Reply): Message {
  switch (reply.kind) {
    case "text":
      return ephemeralMessage(reply.lines, buttonRow(reply.buttons.map(menuButton)));
    case "card":
      return answerCard(reply);
    case "cards":
      return ephemeralMessage(reply.lines, [
        ...reply.cards.flatMap(briefBlocks),
        ...buttonRow(reply.buttons.map(menuButton)),
      ]);
    case "details":
      return { text: "Details", blocks: detailsBlocks(reply, "answer") };
    case "refused":
      return ephemeralMessage(reply.lines, [
        ...(reply.typed ?? []).flatMap((one) => quotationBlocks(one)),
        ...buttonRow(reply.buttons.map(menuButton)),
      ]);
    case "preparing":
      return ephemeralMessage(reply.lines, []);
    case "home":
      return ephemeralMessage([], homeBlocks(reply.home));
    case "errors":
      return ephemeralMessage(
        reply.errors.map(({ message }) => [message]),
        [],
      );
    case "dialog":
    case "credential":
      return ephemeralMessage([["Open this in Slack's own window: press the button again."]], []);
  }
}

/** A card as an ephemeral message. It cannot be updated later, so it lacks the buttons of the card. */
function answerCard({ lead, card }: Extract<Reply, { kind: "card" }>): Message {
  const hasButtons = lead.length === 0 && card.actions.length > 0;
  const { blocks } = cardMessage(card, { kind: "answer", lead });
  return ephemeralMessage(
    [],
    hasButtons ? [...blocks.slice(0, limits.blocks - 1), lineBlock(whereToPress)] : blocks,
  );
}

const whereToPress: Line = ["Its buttons are on its card in our own chat, and in /jit home."];

function detailsBlocks(
  { card, lines, quotations }: Extract<Reply, { kind: "details" }>,
  kind: "answer" | "modal",
): Message["blocks"] {
  const text = cardText(card);
  const actions = text.actions.filter((action) => action !== "details");
  return cardBlocks({ ...text, actions }, { kind, more: { lines, quotations } });
}

function ephemeralMessage(lines: readonly Line[], blocks: Message["blocks"]): Message {
  return {
    text: mrkdwn(lines[0] ?? ["JIT access"]),
    blocks: [...lines.map(lineBlock), ...blocks].slice(0, limits.blocks),
  };
}

/** A reply as a modal. */
export function replyView(reply: Reply): ModalView {
  if (reply.kind === "dialog") return dialogView(reply.dialog);
  if (reply.kind === "credential") return credentialView(reply);
  return noticeView(titles[reply.kind], [], modalBlocks(reply));
}

/** A modal may have buttons, because a press there updates the same modal. */
function modalBlocks(reply: Reply): Message["blocks"] {
  if (reply.kind === "home") return homeBlocks(reply.home);
  if (reply.kind === "details") return detailsBlocks(reply, "modal");
  if (reply.kind === "card") return cardMessage(reply.card, { kind: "modal", lead: reply.lead }).blocks;
  return replyMessage(reply).blocks;
}

/** Whether a reply must be a modal: a form, a secret, or a long answer. */
export function isForModal(reply: Reply): boolean {
  return (
    reply.kind === "dialog" ||
    reply.kind === "credential" ||
    reply.kind === "details" ||
    reply.kind === "home" ||
    reply.kind === "preparing"
  );
}
