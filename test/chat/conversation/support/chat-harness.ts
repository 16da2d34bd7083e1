import { afterEach, beforeEach } from "vitest";
import { createChat, type Chat } from "../../../../src/chat/conversation/chat.ts";
import type { Dialog } from "../../../../src/chat/conversation/dialog.ts";
import type { Reply } from "../../../../src/chat/conversation/reply.ts";
import type { Role } from "../../../../src/core/values/identity.ts";
import type { Policy, Rules } from "../../../../src/core/policy/policy.ts";
import type { Caller } from "../../../../src/service/ports/caller.ts";
import type { Card } from "../../../../src/service/views/card.ts";
import type { Line } from "../../../../src/wording/line.ts";
import { inlineUserText } from "../../../../src/wording/user-text.ts";
import { openServiceHarness, type ServiceHarness } from "../../../service/support/service-harness.ts";
import { countCardBuilds, type CardBuilds } from "./card-builds.ts";

/** A service whose people use it in Slack, new for each test of a file. */
export function chatForEach(policies: () => readonly Policy[], rules: Partial<Rules> = {}) {
  let harness: ServiceHarness;
  let chat: Chat;
  let cardBuilds: CardBuilds;
  beforeEach(async () => {
    harness = await openServiceHarness();
    await harness.configure(policies(), rules);
    const { services, clock } = harness;
    const { accountLinks } = services;
    cardBuilds = countCardBuilds(services.cards);
    chat = createChat({ services, accountLinks, cards: cardBuilds.cards, now: clock.now });
  });
  afterEach(async () => {
    await harness.close();
  });
  const caller = async (name: string, ...roles: readonly Role[]): Promise<Caller> => ({
    ...(await harness.caller(name, ...roles)),
    via: "slack",
  });
  const run = async (name: string, text: string): Promise<Reply> => chat.run(await caller(name), text);
  return {
    harness: () => harness,
    cardBuilds: () => cardBuilds,
    chat: () => chat,
    caller,
    run,
    press: async (name: string, action: Parameters<Chat["press"]>[1], id: string, revision?: string) => {
      const own = await caller(name);
      const card = await harness.services.cards.cardFor(id, "channel", null);
      return chat.press(own, action, { requestId: id, revision: revision ?? card?.request.revision ?? "" });
    },
    /** Requests access by text and returns the request's id. */
    asked: async (name: string, text = "request read:prod:orders-db for 2h because INC-42") =>
      cardIn(await run(name, text)).request.id,
  };
}

export function cardIn(reply: Reply): Card {
  if ("card" in reply && reply.card !== null) return reply.card;
  throw new Error(`no card in ${JSON.stringify(reply)}`);
}

export function dialogIn(reply: Reply): Dialog {
  if (reply.kind === "dialog") return reply.dialog;
  throw new Error(`no dialog in ${JSON.stringify(reply)}`);
}

/** Lines as one text. */
export function plain(lines: readonly Line[]): string {
  return lines
    .map((line) =>
      line
        .map((part) => (typeof part === "string" ? part : "time" in part ? part.time : inlineUserText(part)))
        .join(""),
    )
    .join("\n");
}

/** The text of a reply, or the messages at its fields. */
export function replyText(reply: Reply): string {
  switch (reply.kind) {
    case "card":
      return plain(reply.lead);
    case "dialog":
      return plain(reply.dialog.intro);
    case "home":
      return plain(reply.home.lead);
    case "errors":
      return reply.errors.map((one) => `${one.field}: ${one.message}`).join("\n");
    default:
      return plain(reply.lines);
  }
}
