import type { KnownBlock, RichTextElement } from "@slack/types";
import type { Home } from "../../src/chat/conversation/home.ts";
import { requestForm } from "../../src/chat/conversation/request-form.ts";
import { cardMessage } from "../../src/chat/slack/views/cards.ts";
import { homeBlocks } from "../../src/chat/slack/views/home-view.ts";
import type { AdaptiveCard, Element } from "../../src/chat/teams/views/adaptive-card.ts";
import { requestCard } from "../../src/chat/teams/views/cards.ts";
import { emptyForm, dialogCard } from "../../src/chat/teams/views/dialogs.ts";
import type { Card } from "../../src/service/views/card.ts";
import { cardOf } from "../../test/wording/support/cards.ts";
import { button, divider, drawing, field, row, type Drawing, type Run } from "./drawing.ts";

// Draws the pictures of this folder from the messages that the program sends. `npm run pictures` writes them.

const request = {
  id: "jit_xyz789abcdef0123",
  reason: "Orders are stuck since the deployment, INC-42",
  ticket: "INC-42",
  risk: { score: 40, factors: [{ name: "production", points: 40 }] },
};
const asked = cardOf(request, {
  askedAs: ["group:dba"],
  lastDecision: { status: "COMPLETED", at: "2026-01-12T09:10:00.000Z", byName: "Bob", reason: null },
  actions: ["approve", "deny", "approve_for_less", "details"],
});
const active = cardOf(
  {
    ...request,
    status: "ACTIVE",
    approvals: [{ stage: 1, required: 2, given: 2 }],
    approvers: asked.request.approvers.map((one) => ({ ...one, status: "APPROVED" })),
    startedAt: "2026-01-15T10:40:00.000Z",
    expiresAt: "2026-01-15T12:40:00.000Z",
  },
  { audience: "requester", actions: ["extend", "done", "replace_credential"] },
);

const home: Home = {
  lead: [["Hello ", { userText: "Bob" }, "."]],
  buttons: ["request_access", "break_glass", "help"],
  sections: [
    {
      id: "to_decide",
      title: "To decide",
      entries: [
        {
          line: [{ userText: "Dev" }, ": read:prod:orders-db for 2 hours · 23 hours to decide"],
          card: asked,
        },
      ],
      empty: "",
      isCut: false,
    },
    { id: "active", title: "Active", entries: [], empty: "You have no access at the moment.", isCut: false },
  ],
  nextPage: null,
};
const form = dialogCard(requestForm(), "message", {
  ...emptyForm,
  values: { scopes: "read:prod:orders-db", duration: "2h", reason: "INC-42" },
  preview: [
    ["Needs 2 of 3: ", { userText: "Ann" }, ", ", { userText: "Bob" }, ", ", { userText: "Cid" }, "."],
  ],
});

/** Every picture by its file name. */
export function cardPictures(): ReadonlyMap<string, string> {
  const cards: readonly (readonly [name: string, what: string, card: Card])[] = [
    ["approval", "The card an approver sees", asked],
    ["active", "The card of somebody whose access is active", active],
  ];
  return new Map([
    ...cards.flatMap(([name, what, card]): (readonly [string, string])[] => [
      [`slack-${name}.svg`, slackPicture(`${what} in Slack`, cardMessage(card).blocks)],
      [`teams-${name}.svg`, teamsPicture(`${what} in Microsoft Teams`, requestCard(card))],
    ]),
    ["slack-home.svg", slackPicture("The App Home in Slack", homeBlocks(home))],
    ["teams-form.svg", teamsPicture("The request form in Microsoft Teams", form)],
  ]);
}

function slackPicture(title: string, blocks: readonly KnownBlock[]): string {
  const picture = drawing({ left: 64, width: 560, accent: "#007a5a", danger: "#e01e5a", fill: true });
  picture.shape('<rect x="16" y="16" width="36" height="36" rx="8" fill="#1d3557"/>');
  row(picture, [
    { text: "JIT access", bold: true },
    { text: "  APP", subtle: true },
  ]);
  for (const block of blocks) drawBlock(picture, block);
  return picture.svg(title);
}

function drawBlock(picture: Drawing, block: KnownBlock): void {
  if (block.type === "header") return row(picture, [{ text: block.text.text, bold: true, large: true }]);
  if (block.type === "context") {
    const texts = block.elements.flatMap((one) => ("text" in one ? [one.text] : []));
    return row(picture, [{ text: texts.join(" "), subtle: true }]);
  }
  if (block.type === "section") {
    for (const line of slackLines(block.text?.text)) row(picture, line);
    const fields = (block.fields ?? []).map(({ text }) => slackLines(text));
    for (let first = 0; first < fields.length; first += 2) picture.columns(fields.slice(first, first + 2));
    return undefined;
  }
  if (block.type === "rich_text") {
    for (const part of block.elements) {
      if (part.type !== "rich_text_section" && part.type !== "rich_text_quote") throw unknown(part.type);
      row(picture, richRuns(part.elements), { isQuote: part.type === "rich_text_quote" });
    }
    return undefined;
  }
  if (block.type === "actions") {
    for (const one of block.elements) {
      if (one.type !== "button") throw unknown(one.type);
      button(picture, one.text.text, one.style);
    }
    return undefined;
  }
  if (block.type === "divider") return divider(picture);
  throw unknown(block.type);
}

/** Slack's own marks: stars are bold, backticks are code, and times are shown as the reader writes them. */
function slackLines(text: string | undefined): readonly (readonly Run[])[] {
  if (text === undefined) return [];
  const shown = text.replaceAll(/<!date\^(\d+)\^[^>]*>/g, (_, seconds: string) =>
    readable(new Date(Number(seconds) * 1_000), " at "),
  );
  return shown.split("\n").map((line) =>
    [...line.matchAll(/\*([^*]+)\*|`([^`]+)`|([^*`]+)/g)].map(([, bold, code, plain]) => ({
      text: (bold ?? code ?? plain ?? "").replaceAll("\u2060", ""),
      bold: bold !== undefined,
      code: code !== undefined,
    })),
  );
}

function richRuns(elements: readonly RichTextElement[]): readonly Run[] {
  return elements.map((one) => {
    if (one.type !== "text") throw unknown(one.type);
    return { text: one.text, bold: one.style?.bold === true, code: one.style?.code === true };
  });
}

function teamsPicture(title: string, card: AdaptiveCard): string {
  const picture = drawing({ left: 20, width: 560, accent: "#5b5fc7", danger: "#b3261e", fill: false });
  for (const element of card.body) drawElement(picture, element);
  drawActions(picture, card.actions);
  return picture.svg(title);
}

function drawActions(picture: Drawing, actions: AdaptiveCard["actions"]): void {
  for (const { title, style } of actions) {
    button(picture, title, style === "positive" ? "primary" : style === "destructive" ? "danger" : undefined);
  }
}

function drawElement(picture: Drawing, element: Element, isQuote = false): void {
  if (element.type === "RichTextBlock") {
    const runs = element.inlines.map((one) => ({
      text: teamsText(one.text),
      bold: one.weight === "Bolder",
      large: one.size === "Large",
      subtle: one.isSubtle === true,
      code: one.fontType === "Monospace",
    }));
    return row(picture, runs, { isQuote });
  }
  if (element.type === "TextBlock") {
    const { text, isSubtle, weight, size } = element;
    return row(picture, [
      {
        text: teamsText(text),
        subtle: isSubtle === true,
        bold: weight === "Bolder",
        large: size === "Medium",
      },
    ]);
  }
  if (element.type === "Container") {
    for (const one of element.items) drawElement(picture, one, element.style === "emphasis");
    return undefined;
  }
  if (element.type === "ActionSet") return drawActions(picture, element.actions);
  const { label, value = "", placeholder = "" } = element;
  return field(picture, label, value === "" ? { text: placeholder, subtle: true } : { text: value });
}

/** Teams writes times in the reader's own way. */
function teamsText(text: string): string {
  return text.replaceAll(/\{\{DATE\(([^,]+), SHORT\)\}\} \{\{TIME\([^)]+\)\}\}/g, (_, at: string) =>
    readable(new Date(at), " "),
  );
}

function readable(at: Date, between: string): string {
  const date = at.toLocaleDateString("en-US", { dateStyle: "medium", timeZone: "UTC" });
  return `${date}${between}${at.toLocaleTimeString("en-US", { timeStyle: "short", timeZone: "UTC" })}`;
}

function unknown(type: string): Error {
  return new Error(`the picture cannot show ${type} yet; add it to docs/images/card-pictures.ts`);
}
