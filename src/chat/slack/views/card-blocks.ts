import type { KnownBlock } from "@slack/types";
import { actionsOfPart, type CardAction } from "../../../service/views/card.ts";
import { scopesOfPart, type AccessText, type CardText, type Fact } from "../../../wording/card-text.ts";
import type { Line } from "../../../wording/line.ts";
import { boldBlock, buttonRow, cardButton, contextBlock, lineBlock } from "./buttons.ts";
import type { Quotation } from "../../../wording/user-text.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits, mrkdwn, plainText } from "./text.ts";

/** How a card is laid out, which decides how much of it fits and what its buttons do. */
export interface CardLayout {
  /** `note`: a message below the card. `answer`: an ephemeral message, without buttons because it cannot be updated. */
  readonly kind: "card" | "note" | "answer" | "modal";
  /** Lines above the card: what has just happened. */
  readonly lead?: readonly Line[];
  /** Additional content below the card. */
  readonly more?: { readonly lines: readonly Line[]; readonly quotations: readonly Quotation[] };
}

/** Size of a whole message. Slack documents no limit and refuses somewhat more than this. */
const messageLengthMax = 13_000;
/** Slack accepts 250 KB. */
const modalLengthMax = 100_000;
const fieldsMax = 10;
/** Length of the reason in a shortened card. */
const partReasonLength = 300;
/** Lengths of user texts besides the reason, tried in this order until the card fits. */
const wordsLengths = [3_000, 500, 100] as const;

const readAll: Line = ["Not all of it fits here. Press Details to read all of it, and to decide."];
const cutShort: Line = ["Not all of it fits here."];

/**
 * A card as blocks. User texts besides the reason are shortened first, because nobody decides on those alone. If that is
 * not enough, a shortened card is returned that does not offer to decide.
 */
export function cardBlocks(text: CardText, layout: CardLayout): KnownBlock[] {
  for (const length of wordsLengths) {
    const complete = allBlocks(text, layout, length);
    if (fits(complete, layout)) return complete;
  }
  return partBlocks(text, layout);
}

export function fits(blocks: readonly KnownBlock[], { kind }: CardLayout): boolean {
  const isModal = kind === "modal";
  return (
    blocks.length <= (isModal ? limits.viewBlocks : limits.blocks) &&
    JSON.stringify(blocks).length <= (isModal ? modalLengthMax : messageLengthMax)
  );
}

function allBlocks(text: CardText, layout: CardLayout, wordsLength: number): KnownBlock[] {
  return [
    ...headingBlocks(text, layout),
    ...accessBlocks(text.access),
    ...fieldBlocks(text.terms),
    ...quotationBlocks(text.reason),
    ...fieldBlocks(text.facts),
    ...[...text.quotations, ...(layout.more?.quotations ?? [])].flatMap((one) =>
      quotationBlocks(one, wordsLength),
    ),
    ...joinedLines(layout.more?.lines ?? []),
    ...endBlocks(text, layout, text.actions),
  ];
}

function partBlocks(text: CardText, layout: CardLayout): KnownBlock[] {
  const { access } = text;
  const shown = scopesOfPart(access.scopes);
  const actions = actionsOfPart(text.actions);
  return [
    ...headingBlocks(text, layout),
    ...accessBlocks({ ...access, scopes: shown }),
    lineBlock([
      `${access.scopes.length - shown.length} more of ${access.scopes.length} scopes. `,
      ...(actions.includes("details") ? readAll : cutShort),
    ]),
    ...fieldBlocks(text.terms),
    ...quotationBlocks(text.reason, partReasonLength),
    ...fieldBlocks(text.facts),
    ...endBlocks(text, layout, actions),
  ];
}

function headingBlocks({ heading }: CardText, { kind, lead = [] }: CardLayout): KnownBlock[] {
  const title: KnownBlock =
    kind === "note"
      ? boldBlock(heading)
      : {
          type: "header",
          text: { type: "plain_text", text: plainText(heading, limits.header), emoji: false },
        };
  return [...lead.map(lineBlock), title];
}

function endBlocks(text: CardText, { kind }: CardLayout, actions: readonly CardAction[]): KnownBlock[] {
  const { requestId, revision } = text;
  const on = kind === "note" ? "note" : "card";
  return [
    lineBlock(text.status),
    contextBlock(["Request ", requestId]),
    ...(kind === "answer"
      ? []
      : buttonRow(actions.map((action) => cardButton(action, requestId, revision, on)))),
  ];
}

/** Short lines in as few blocks as possible. */
function joinedLines(lines: readonly Line[]): KnownBlock[] {
  return joined(lines.map((line) => mrkdwn(line)));
}

/** Every scope on a line of its own, as code, so that nothing in it is markup and it can be copied. */
export function accessBlocks({ catalogName, scopes }: AccessText): KnownBlock[] {
  const title =
    catalogName === null ? "*Access*" : `*Access* · ${mrkdwn([{ userText: catalogName }], limits.header)}`;
  return joined([title, ...scopes.map((scope) => `\`${scope}\``)]);
}

/** Lines of mrkdwn in as many blocks as they need. */
function joined(lines: readonly string[]): KnownBlock[] {
  const texts: string[] = [];
  for (const line of lines) {
    const last = texts.at(-1);
    if (last === undefined || last.length + line.length + 1 > limits.section) texts.push(line);
    else texts[texts.length - 1] = `${last}\n${line}`;
  }
  return texts.map((text) => ({ type: "section", text: { type: "mrkdwn", text, verbatim: true } }));
}

function fieldBlocks(facts: readonly Fact[]): KnownBlock[] {
  if (facts.length === 0) return [];
  return [
    {
      type: "section",
      fields: facts.slice(0, fieldsMax).map(({ label, value }) => ({
        type: "mrkdwn",
        text: `*${label}*\n${mrkdwn(value, limits.field - label.length - 3)}`,
        verbatim: true,
      })),
    },
  ];
}
