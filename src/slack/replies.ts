import type { ModalView } from "@slack/types";
import type { Reply } from "../chat/reply.ts";
import { briefBlocks, buttonRow, cardMessage, lineBlock, menuButton, type Message } from "./cards.ts";
import { credentialView, dialogView, homeBlocks, noticeView } from "./modals.ts";
import { limits, mrkdwn } from "./text.ts";
import type { Line } from "../words/card-text.ts";

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
        ...reply.cards.flatMap(briefBlocks),
        ...buttonRow(reply.buttons.map(menuButton)),
      ]);
    case "details":
      return whispered(reply.lines, []);
    case "refused":
      return whispered(reply.lines, buttonRow(reply.buttons.map(menuButton)));
    case "preparing":
      return whispered(reply.lines, []);
    case "home":
      return whispered([], homeBlocks(reply.home));
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
  const blocks = reply.kind === "home" ? homeBlocks(reply.home) : replyMessage(reply).blocks;
  return noticeView(titles[reply.kind], [], blocks);
}

/** Whether an answer has to be a modal: a form, a secret, or something long that was asked for. */
export function isForModal(reply: Reply): boolean {
  return (
    reply.kind === "dialog" ||
    reply.kind === "credential" ||
    reply.kind === "details" ||
    reply.kind === "home" ||
    reply.kind === "preparing"
  );
}
