import type { KnownBlock } from "@slack/types";
import { actionsOfPart, type CardAction } from "../../../service/views/card.ts";
import { scopesOfPart, type AccessText, type CardText, type Fact } from "../../../wording/card-text.ts";
import type { Line } from "../../../wording/line.ts";
import { boldBlock, buttonRow, cardButton, contextBlock, lineBlock } from "./buttons.ts";
import type { Quotation } from "../../../wording/user-text.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits, mrkdwn, plainText } from "./text.ts";

/** Where a card is shown, which decides how much of it fits and what its buttons do. */
export interface CardContext {
  /** `note`: a message below the card, see notes.ts. `answer`: nobody keeps it true, so it has no buttons. */
  readonly kind: "card" | "note" | "answer" | "window";
  /** What has just happened, above. */
  readonly lead?: readonly Line[];
  /** What else there is to say, below. */
  readonly more?: { readonly lines: readonly Line[]; readonly quotations: readonly Quotation[] };
}

/** What a message may hold in all: Slack names no number for it, and refuses somewhat more than this. */
const messageLengthMax = 13_000;
/** A window may hold 250 KB. */
const windowLengthMax = 100_000;
const fieldsMax = 10;
/** In a part of the card. */
const partReasonLength = 300;
/** Of each other text, where not all fit. */
const wordsLengths = [3_000, 500, 100] as const;

const readAll: Line = ["Not all of it fits here. Press Details to read all of it, and to decide."];
const cutShort: Line = ["Not all of it fits here."];

/**
 * A card as blocks: all of it, or a part of it that does not offer to decide. What people wrote besides the reason is
 * shortened first, because nobody decides on that alone.
 */
export function cardBlocks(text: CardText, cardContext: CardContext): KnownBlock[] {
  for (const length of wordsLengths) {
    const whole = allBlocks(text, cardContext, length);
    if (fits(whole, cardContext)) return whole;
  }
  return partBlocks(text, cardContext);
}

export function fits(blocks: readonly KnownBlock[], { kind }: CardContext): boolean {
  const isWindow = kind === "window";
  return (
    blocks.length <= (isWindow ? limits.viewBlocks : limits.blocks) &&
    JSON.stringify(blocks).length <= (isWindow ? windowLengthMax : messageLengthMax)
  );
}

function allBlocks(text: CardText, cardContext: CardContext, wordsLength: number): KnownBlock[] {
  return [
    ...headingBlocks(text, cardContext),
    ...accessBlocks(text.access),
    ...fieldBlocks(text.terms),
    ...quotationBlocks(text.reason),
    ...fieldBlocks(text.facts),
    ...[...text.words, ...(cardContext.more?.quotations ?? [])].flatMap((one) =>
      quotationBlocks(one, wordsLength),
    ),
    ...joinedLines(cardContext.more?.lines ?? []),
    ...endBlocks(text, cardContext, text.actions),
  ];
}

function partBlocks(text: CardText, cardContext: CardContext): KnownBlock[] {
  const { access } = text;
  const shown = scopesOfPart(access.scopes);
  const actions = actionsOfPart(text.actions);
  return [
    ...headingBlocks(text, cardContext),
    ...accessBlocks({ ...access, scopes: shown }),
    lineBlock([
      `${access.scopes.length - shown.length} more of ${access.scopes.length} scopes. `,
      ...(actions.includes("details") ? readAll : cutShort),
    ]),
    ...fieldBlocks(text.terms),
    ...quotationBlocks(text.reason, partReasonLength),
    ...fieldBlocks(text.facts),
    ...endBlocks(text, cardContext, actions),
  ];
}

function headingBlocks({ heading }: CardText, { kind, lead = [] }: CardContext): KnownBlock[] {
  const title: KnownBlock =
    kind === "note"
      ? boldBlock(heading)
      : {
          type: "header",
          text: { type: "plain_text", text: plainText(heading, limits.header), emoji: false },
        };
  return [...lead.map(lineBlock), title];
}

function endBlocks(text: CardText, { kind }: CardContext, actions: readonly CardAction[]): KnownBlock[] {
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

/** Many short sentences in as few blocks as they fit in. */
function joinedLines(lines: readonly Line[]): KnownBlock[] {
  return joined(lines.map((line) => mrkdwn(line)));
}

/** Every scope, one a line, as code: nothing in it is markup, and it is copied as it is. */
export function accessBlocks({ catalogName, scopes }: AccessText): KnownBlock[] {
  const title =
    catalogName === null ? "*Access*" : `*Access* · ${mrkdwn([{ userText: catalogName }], limits.header)}`;
  return joined([title, ...scopes.map((scope) => `\`${scope}\``)]);
}

/** Lines of mrkdwn, one below the other, over as many blocks as they need. */
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
