import type { Line, TextSpan } from "../../../wording/card-text.ts";
import { inlineUserText } from "../../../wording/user-text.ts";
import { cutTo, escapeInvisible } from "../../../wording/escape-invisible.ts";
import type { RichTextBlock, TextRun } from "./adaptive-card.ts";

type Look = Pick<TextRun, "size" | "weight" | "isSubtle" | "color">;
type Spacing = NonNullable<RichTextBlock["spacing"]>;

/** One piece of somebody's words in a line. */
const partLengthMax = 600;
const plainLengthMax = 1_000;

/** A line as it is to be shown: nothing in it is markup, times are told in the reader's own time zone. */
export function richText(line: Line, look: Look = {}, spacing?: Spacing): RichTextBlock {
  const inlines = line.map((part) => run(textOf(part), look)).filter(({ text }) => text !== "");
  return {
    type: "RichTextBlock",
    inlines: inlines.length === 0 ? [run("–", look)] : inlines,
    ...(spacing !== undefined && { spacing }),
  };
}

export function run(text: string, look: Look = {}): TextRun {
  return { type: "TextRun", text, ...look };
}

function textOf(part: TextSpan): string {
  if (typeof part === "string") return part;
  return "time" in part ? timeText(part.time) : inert(cutTo(inlineUserText(part), partLengthMax));
}

/** What looks like a date function of a card is not one. */
export function inert(text: string): string {
  return text.replaceAll("{{", "{\u2060{");
}

/** The functions take no fractions of seconds. */
function timeText(time: string): string {
  const seconds = `${time.slice(0, 19)}Z`;
  return `{{DATE(${seconds}, SHORT)}} {{TIME(${seconds})}}`;
}

/** Plain text, where nothing is laid out: notifications, and clients that show no cards. */
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
