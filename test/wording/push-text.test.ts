import { describe, expect, test } from "vitest";
import { noteText } from "../../src/wording/note-text.ts";
import { cardText } from "../../src/wording/card-text.ts";
import { cardMessage } from "../../src/chat/slack/views/cards.ts";
import { noteMessage } from "../../src/chat/slack/views/notes.ts";
import { requestCard } from "../../src/chat/teams/views/cards.ts";
import { cardActivity } from "../../src/chat/teams/outbound/message-activity.ts";
import { noteCard } from "../../src/chat/teams/views/notes.ts";
import { noticeKinds } from "../../src/core/effects/notices.ts";
import { noteEmail } from "../../src/notify/email/mail.ts";
import { cardOf } from "./support/cards.ts";

const scope = `read:prod:${"x".repeat(110)}`;
const card = cardOf({ scopes: [scope, "read:b"], duration: "2h", grantedDuration: null, status: "PENDING" });

describe("a push notification says who, how long and what:", () => {
  const beginning = (text: string): string => text.slice(0, 100);
  const push = /Dev.*2 hours.*read:prod:xxx/;

  test("for a card, in Slack and Teams", () => {
    expect(beginning(cardMessage(card).text)).toMatch(push);
    expect(beginning(String(cardActivity(requestCard(card))["summary"]))).toMatch(push);
    expect(cardText(card).push.at(0)).toEqual({ userText: "Dev" });
  });

  test.each(noticeKinds.filter((notice) => notice !== "key_made"))("for the note %s", (notice) => {
    const note = { about: "request", notice, card } as const;
    const text = noteText(note);
    expect(noteMessage(text, note).text).toContain("2 hours");
    expect(String(cardActivity(noteCard(text, note))["summary"])).toContain("2 hours");
    expect(noteMessage(text, note).text).toContain("read:prod:xxx");
  });

  test("for an e-mail, in the subject", () => {
    const note = { about: "request", notice: "submitted", card } as const;
    const { subject } = noteEmail(note, { to: "ann@company.com", domain: "company.com", atMs: 0 });
    expect(beginning(subject)).toMatch(push);
  });
});
