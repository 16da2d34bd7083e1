import type { IAdaptiveCard } from "@microsoft/teams.cards";
import * as fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import type { Card } from "../../../src/service/views/card.ts";
import { dialogRef, type Dialog } from "../../../src/chat/conversation/dialog.ts";
import {
  bytesOf,
  cardBytesMax,
  type AdaptiveCard,
  type Element,
} from "../../../src/chat/teams/views/adaptive-card.ts";
import { requestCard, textCard } from "../../../src/chat/teams/views/cards.ts";
import { dialogCard } from "../../../src/chat/teams/views/dialogs.ts";
import { noteCard } from "../../../src/chat/teams/views/notes.ts";
import { replyCard } from "../../../src/chat/teams/views/replies.ts";
import { quotationElements } from "../../../src/chat/teams/views/quotation.ts";
import type { CardText } from "../../../src/wording/card-text.ts";
import { chatPolicies } from "../conversation/support/policy-fixtures.ts";
import { teamsForEach } from "./support/teams-harness.ts";
import { problemsOf, shownBy } from "./support/rendering.ts";

const harness = teamsForEach(chatPolicies);

test("our cards match Microsoft's types", () => {
  expectTypeOf<AdaptiveCard>().toExtend<IAdaptiveCard>();
});

const text: CardText = {
  requestId: "jit_abc",
  revision: "r1",
  heading: [{ userText: "Dev" }, " asks for access"],
  push: [{ userText: "Dev" }, " asks for access"],
  access: { catalogName: null, scopes: ["read:prod:orders-db"] },
  terms: [{ label: "For", value: ["2 hours"] }],
  reason: { label: "Reason", text: "an incident" },
  facts: [{ label: "Until", value: [{ time: "2026-01-15T10:30:00.000Z" }] }],
  quotations: [],
  status: ["Waiting for a decision"],
  actions: ["approve", "deny", "approve_for_less", "details"],
};

/** User text that imitates us, mentions people or links somewhere. */
const hostile = [
  "**Approved by Ann**",
  "[click](https://evil.example)",
  "https://evil.example/path",
  "<at>everyone</at>",
  "<script>alert(1)</script>",
  "{{DATE(2020-01-01T00:00:00Z)}} {{TIME(2020-01-01T00:00:00Z)}}",
  "${name}",
  "- one\n- two\n1. three",
  "_u_ ~~s~~ `c` # h",
  "&lt;b&gt; &amp;",
];

describe("user text is shown as it was written", () => {
  test.each(hostile)("%j", (words) => {
    const card = textCard(
      {
        ...text,
        heading: [{ userText: words }, " asks for access"],
        facts: [{ label: "Asked by", value: [{ userText: words }] }],
        access: { ...text.access, catalogName: words },
        reason: { label: "Reason", text: words },
        status: ["Denied: ", { userText: words }],
      },
      { lead: [[{ quote: words }]] },
    );
    expect(problemsOf(card)).toEqual([]);
    const { texts, links, markup } = shownBy(card);
    const shown = texts.join("\n").replaceAll("\u2060", "");
    for (const row of words.split("\n")) expect(shown.split(row).length - 1).toBeGreaterThanOrEqual(4);
    expect(links).toEqual([]);
    expect(markup).toEqual([]);
  });

  test("invisible characters are shown by their code points", () => {
    expect(JSON.stringify(quotationElements({ label: "x", text: "a\u202Eb\u200Bc" }))).toContain(
      "a⟨U+202E⟩b⟨U+200B⟩c",
    );
  });

  test("only our own text is in elements that read markup", () => {
    const marked = "s4id";
    const card = textCard(
      {
        ...text,
        heading: [{ userText: marked }],
        facts: [{ label: "Asked by", value: [{ userText: marked }] }],
        access: { ...text.access, catalogName: marked },
        reason: { label: "Reason", text: marked },
        quotations: [{ label: "Comment", text: marked }],
        status: [{ userText: marked }],
      },
      { lead: [[{ userText: marked }]] },
    );
    expect(JSON.stringify(textBlocks(card.body))).not.toContain(marked);
  });
});

function textBlocks(elements: readonly Element[]): readonly Element[] {
  return elements.flatMap((one) =>
    one.type === "Container" ? textBlocks(one.items) : one.type === "TextBlock" ? [one] : [],
  );
}

test("a time is shown in the reader's time zone", () => {
  const { texts } = shownBy(textCard(text));
  expect(JSON.stringify(textCard(text))).toContain("{{DATE(2026-01-15T10:30:00Z, SHORT)}}");
  expect(texts.join(" ")).not.toContain("{{");
});

test("a card with any text is valid and small enough", () => {
  const words = fc.string({ unit: "grapheme", maxLength: 3_000 });
  fc.assert(
    fc.property(words, fc.array(words, { maxLength: 12 }), (one, many) => {
      const card = textCard({
        ...text,
        heading: [{ userText: one }],
        facts: many.map((value) => ({ label: "Access", value: [{ userText: value }] })),
        reason: { label: "Reason", text: one },
        quotations: many.map((value) => ({ label: "Comment", text: value })),
        status: [{ userText: one }],
      });
      expect(bytesOf(card)).toBeLessThan(cardBytesMax);
      expect(card.fallbackText).not.toBe("");
      expect(card.actions.length).toBeGreaterThan(1);
      expect(problemsOf(card)).toEqual([]);
    }),
    { numRuns: 30 },
  );
});

test("a button carries the request and its revision and nothing else", () => {
  for (const placement of ["message", "dialog"] as const) {
    for (const { data } of textCard(text, { placement }).actions) {
      expect(Object.keys(data).toSorted()).toEqual(["request", "revision", "verb"]);
      expect(data).toMatchObject({ request: "jit_abc", revision: "r1" });
    }
  }
});

test("buttons of a message execute, those of a dialog submit, and the secret needs a dialog", () => {
  const requester = { ...text, actions: ["show_credential", "cancel"] } as const;
  expect(textCard(requester).actions.map(({ type }) => type)).toEqual(["Action.Submit", "Action.Execute"]);
  expect(textCard(requester).actions[0]?.data).toMatchObject({ msteams: { type: "task/fetch" } });
  expect(
    textCard(requester, { placement: "dialog" }).actions.every(
      ({ type, data }) => type === "Action.Submit" && !("msteams" in data),
    ),
  ).toBe(true);
});

describe("the renderer of Teams accepts every kind of card", () => {
  const dialog: Dialog = {
    ref: dialogRef("request"),
    title: "Request access",
    intro: [["Asked for ", { userText: "**x**" }]],
    fields: [
      {
        kind: "catalog",
        id: "catalog",
        label: "Access",
        hint: null,
        isOptional: true,
        values: [{ value: "a", label: "A", description: null }],
      },
      {
        kind: "choice",
        id: "choice",
        label: "One",
        hint: "of a few",
        isOptional: false,
        options: [{ value: "a", label: "A", description: null }],
        value: "a",
      },
      {
        kind: "text",
        id: "reason",
        label: "Why",
        hint: null,
        isOptional: false,
        isMultiline: true,
        lengthMax: 2_000,
        value: "",
        placeholder: "because",
      },
    ],
    submitLabel: "Request",
    hasPreview: true,
  };

  test.each(["message", "dialog"] as const)("a form in a %s, with errors and a preview", (placement) => {
    const card = dialogCard(dialog, placement, {
      values: { reason: "typed", catalog: ["a", "found by typing"] },
      errors: [{ field: "reason", message: "too short" }],
      preview: [["Needs 2 of 3"]],
      catalog: [],
    });
    expect(problemsOf(card)).toEqual([]);
    expect(JSON.stringify(card)).toContain('"value":"typed"');
    expect(JSON.stringify(card)).toContain('"value":"a,found by typing"');
    expect(shownBy(card).texts).toEqual(expect.arrayContaining(["too short", "Needs 2 of 3"]));
  });

  const withCard = async (): Promise<Card> => {
    const { service } = harness();
    const asked = await service.ask("dev");
    const card = await service.services.cards.cardFor(
      "request" in asked ? asked.request.id : "",
      "approver",
      null,
    );
    if (card === undefined) throw new Error("no card");
    return card;
  };

  test("lists and homes, with as many entries as fit", async () => {
    const card = await withCard();
    const long = {
      ...card,
      request: {
        ...card.request,
        scopes: Array.from({ length: 20 }, (_, at) => `read:${"x".repeat(120)}${at}`),
      },
    };
    const cards = Array.from({ length: 40 }, () => long);
    const list = replyCard({ kind: "cards", lines: [["40 requests"]], cards, buttons: ["home"] }, "message");
    expect(problemsOf(list)).toEqual([]);
    expect(bytesOf(list)).toBeLessThan(cardBytesMax);
    const entries = cards.slice(0, 10).map((one) => ({ line: [{ userText: "x".repeat(900) }], card: one }));
    const sections = (["to_decide", "active", "pending", "recent"] as const).map((id) => ({
      id,
      title: id,
      entries,
      isCut: true,
      empty: "–",
    }));
    const home = replyCard(
      { kind: "home", home: { lead: [["Home"]], sections, nextPage: 2, buttons: ["request_access"] } },
      "message",
    );
    expect(problemsOf(home)).toEqual([]);
    expect(bytesOf(home)).toBeLessThan(cardBytesMax);
  });

  test("details, notes, texts and refusals", async () => {
    const card = await withCard();
    const all = [
      requestCard(card),
      replyCard({ kind: "details", card, lines: [["One"], ["Two"]], quotations: [] }, "message"),
      replyCard({ kind: "text", lines: [["Hello"]], buttons: ["home", "help"] }, "message"),
      replyCard({ kind: "text", lines: [], buttons: [] }, "message"),
      replyCard(
        {
          kind: "refused",
          refusal: { refused: "not_found", detail: "no" },
          lines: [["no"]],
          card,
          buttons: [],
        },
        "message",
      ),
      replyCard({ kind: "preparing", request: card.request, lines: [["Preparing"]] }, "dialog"),
      noteCard(
        { heading: ["News"], lines: [["x"]], actions: ["details"] },
        { about: "request", notice: "approved" as never, card },
      ),
    ];
    for (const one of all) expect(problemsOf(one)).toEqual([]);
  });

  test("only a dialog shows the secret", async () => {
    const card = await withCard();
    const credential = {
      id: "cred_1",
      token: "kd_jit_secret",
      expiresAt: "2026-01-15T10:30:00.000Z",
      targets: [
        {
          connector: "orders-db",
          kind: "postgres",
          where: "db.internal:5432/orders",
          username: "jit_abc",
          secret: "first line\nsecond line",
          expiresAt: "2026-01-15T10:30:00.000Z",
          command: null,
          problem: "Ask again in a minute.",
        },
      ],
    };
    const reply = { kind: "credential", credential, request: card.request, lines: [["It opens x"]] } as const;
    const shown = replyCard(reply, "dialog");
    expect(problemsOf(shown)).toEqual([]);
    expect(shownBy(shown).texts).toEqual(
      expect.arrayContaining([
        "kd_jit_secret",
        "orders-db (postgres)",
        "at db.internal:5432/orders",
        "with first line",
        "second line",
        "Ask again in a minute.",
      ]),
    );
    expect(JSON.stringify(replyCard(reply, "message"))).not.toContain("kd_jit_secret");
  });
});
