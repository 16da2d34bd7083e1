import type { RichTextBlock, RichTextQuote } from "@slack/types";
import { quotationLines, type Quotation } from "../../../wording/user-text.ts";
import { cutTo } from "../../../wording/escape-invisible.ts";
import { limits } from "./text.ts";

/**
 * User text as a quotation of rich text. Slack reads no markup in it and draws a bar beside every line, so that no line
 * can look like one of ours. No other file lays out user text of several lines.
 *
 * @param max Characters to show; absent: all of them, over several blocks where one is too small.
 */
export function quotationBlocks({ label, text }: Quotation, max = Infinity): RichTextBlock[] {
  const lines = quotationLines(text).join("\n");
  const shown = max === Infinity ? lines : cutTo(lines, max);
  return pieces(shown, limits.section - 100).map((piece, index) => ({
    type: "rich_text",
    elements: [
      ...(index === 0
        ? [
            {
              type: "rich_text_section" as const,
              elements: [{ type: "text" as const, text: label, style: { bold: true } }],
            },
          ]
        : []),
      quote(piece),
    ],
  }));
}

function quote(text: string): RichTextQuote {
  return { type: "rich_text_quote", elements: [{ type: "text", text: text === "" ? " " : text }] };
}

/** Splits a text between graphemes without losing any. */
function pieces(text: string, max: number): string[] {
  const all: string[] = [];
  let rest = text;
  while (rest.length > max) {
    const piece = cutTo(rest, max).slice(0, -1);
    const kept = piece === "" ? rest.slice(0, max) : piece;
    all.push(kept);
    rest = rest.slice(kept.length);
  }
  return [...all, rest];
}
