import { escapeInvisible } from "./escape-invisible.ts";

/**
 * Words that are not ours, inside a sentence.
 * - userText: a name; in quotation marks unless it is as plain as one
 * - quote: free text, always in quotation marks
 * - literal: a sentence or address that may hold what somebody typed, as it is
 */
export type UserText =
  | { readonly userText: string }
  | { readonly quote: string }
  | { readonly literal: string };

/**
 * The same as text on one line, with nothing invisible in it. Quotation marks inside a quotation are changed, so that
 * nobody can end it.
 */
export function inlineUserText(words: UserText): string {
  if ("literal" in words) return oneLine(words.literal);
  const line = oneLine("userText" in words ? words.userText : words.quote).trim();
  const isPlain = "userText" in words && plainName.test(line) && !sentenceEnd.test(line);
  return isPlain ? line : `"${line.replaceAll(quotationMarks, "'")}"`;
}

function oneLine(text: string): string {
  return escapeInvisible(text).replaceAll(/\s+/gu, " ");
}

/** No colon, comma, dot between words or line of ours can be made of these. */
const plainName = /^[\p{L}\p{M}\p{N} .'’()@_+/&#-]{0,100}$/u;
/** Ends a sentence, unlike the dot of an initial or a title. */
const sentenceEnd = /[\p{L}\p{N})]{4}\. /u;
const quotationMarks = /[“”„‟"″«»]/gu;

/** One text of somebody's, laid out as a quotation: the label is ours, every line below it is theirs. */
export interface Quotation {
  readonly label: string;
  readonly text: string;
}

/** More empty lines in a row than this are counted instead of shown, because they would push our own lines away. */
const emptyLinesMax = 2;

/** The lines of a quotation, with everything that could start a line of its own made a plain line break. */
export function quotationLines(text: string): readonly string[] {
  const lines: string[] = [];
  let empty = 0;
  const settleEmpty = (): void => {
    if (empty > emptyLinesMax) lines.push(`⟨${empty} empty lines⟩`);
    else lines.push(...Array.from({ length: empty }, () => ""));
    empty = 0;
  };
  for (const line of escapeInvisible(text).split("\n")) {
    if (line.trim() === "") empty++;
    else {
      settleEmpty();
      lines.push(line);
    }
  }
  settleEmpty();
  return lines;
}
