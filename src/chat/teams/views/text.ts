import type { Line, TextSpan } from "../../../wording/card-text.ts";
import { inlineUserText } from "../../../wording/user-text.ts";
import { cutTo, escapeInvisible } from "../../../wording/escape-invisible.ts";
import type { RichTextBlock, TextRun } from "./adaptive-card.ts";

type TextStyle = Pick<TextRun, "size" | "weight" | "isSubtle" | "color">;
type Spacing = NonNullable<RichTextBlock["spacing"]>;

/** The longest user text in a line. */
const partLengthMax = 600;
const plainLengthMax = 1_000;

/** A line as rich text: nothing in it is read as markup, and times are in the reader's time zone. */
export function richText(line: Line, style: TextStyle = {}, spacing?: Spacing): RichTextBlock {
  const inlines = line.map((part) => run(textOf(part), style)).filter(({ text }) => text !== "");
  return {
    type: "RichTextBlock",
    inlines: inlines.length === 0 ? [run("–", style)] : inlines,
    ...(spacing !== undefined && { spacing }),
  };
}

export function run(text: string, style: TextStyle = {}): TextRun {
  return { type: "TextRun", text, ...style };
}

function textOf(part: TextSpan): string {
  if (typeof part === "string") return part;
  return "time" in part ? timeText(part.time) : inert(cutTo(inlineUserText(part), partLengthMax));
}

/** Keeps a card from evaluating user text as a date function. */
export function inert(text: string): string {
  return text.replaceAll("{{", "{\u2060{");
}

/** A time as date functions of the card, which accept no fractions of seconds. */
function timeText(time: string): string {
  const seconds = `${time.slice(0, 19)}Z`;
  return `{{DATE(${seconds}, SHORT)}} {{TIME(${seconds})}}`;
}

/** A line as plain text, for notifications and clients that cannot show cards. */
export function plainText(line: Line): string {
  const text = line
    .map((part) =>
      typeof part === "string" ? part : "time" in part ? plainTime(part.time) : inlineUserText(part),
    )
    .join("");
  return cutTo(escapeInvisible(text).replaceAll("\n", " "), plainLengthMax) || "–";
}

export function plainLines(lines: readonly Line[]): string {
  return cutTo(lines.map(plainText).join(" "), plainLengthMax) || "–";
}

function plainTime(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}
