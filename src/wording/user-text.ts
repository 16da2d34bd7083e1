import { escapeInvisible } from "./escape-invisible.ts";

/**
 * User text inside a sentence.
 * - userText: a name; in quotation marks unless it is as plain as one
 * - quote: free text, always in quotation marks
 * - literal: a sentence or address that may contain user text, unchanged
 */
export type UserText =
  | { readonly userText: string }
  | { readonly quote: string }
  | { readonly literal: string };

/**
 * Formats user text on one line, with nothing invisible in it. Quotation marks inside a quotation are replaced, so
 * that user text cannot end it.
 */
export function inlineUserText(text: UserText): string {
  if ("literal" in text) return toOneLine(text.literal);
  const line = toOneLine("userText" in text ? text.userText : text.quote).trim();
  const isPlain = "userText" in text && plainName.test(line) && !sentenceEnd.test(line);
  return isPlain ? line : `"${line.replaceAll(quotationMarks, "'")}"`;
}

function toOneLine(text: string): string {
  return escapeInvisible(text).replaceAll(/\s+/gu, " ");
}

/** Names without a colon, a comma or line breaks, which could imitate our text. */
const plainName = /^[\p{L}\p{M}\p{N} .'’()@_+/&#-]{0,100}$/u;
/** The end of a sentence, unlike the dot of an initial or a title. */
const sentenceEnd = /[\p{L}\p{N})]{4}\. /u;
const quotationMarks = /[“”„‟"″«»]/gu;

/** One user text laid out as a quotation: the label is ours, every line below it is theirs. */
export interface Quotation {
  readonly label: string;
  readonly text: string;
}

/** Longer runs of empty lines are replaced by their count. They would push our own lines away. */
const emptyLinesMax = 2;

/** The lines of a quotation, in which every kind of line break is a plain one. */
export function quotationLines(text: string): readonly string[] {
  const lines: string[] = [];
  let emptyCount = 0;
  const flushEmpty = (): void => {
    if (emptyCount > emptyLinesMax) lines.push(`⟨${emptyCount} empty lines⟩`);
    else lines.push(...Array.from({ length: emptyCount }, () => ""));
    emptyCount = 0;
  };
  for (const line of escapeInvisible(text).split("\n")) {
    if (line.trim() === "") emptyCount++;
    else {
      flushEmpty();
      lines.push(line);
    }
  }
  flushEmpty();
  return lines;
}
