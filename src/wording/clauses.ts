import { readDuration } from "./duration-words.ts";
import { textBetween, type CommandToken } from "./tokenize.ts";

/** `… for 2h because … ticket INC-42`, in any order. Null: not said. */
export interface Clauses {
  /** What stands before the first of them. */
  readonly head: readonly CommandToken[];
  readonly duration: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  /** What follows a clause and is none itself. */
  readonly stray: string | null;
}

const keywords: ReadonlySet<string> = new Set(["for", "because", "ticket"]);

/**
 * Reads the clauses, or says in one sentence what is wrong with them. A reason runs to the end of the text, except for
 * a `for …` or `ticket …` that ends it and has not been said before: a shorter time that was meant must not be read as
 * part of the reason.
 */
export function readClauses(text: string, words: readonly CommandToken[]): Clauses | string {
  const first = words.findIndex((word) => keywords.has(word.key));
  const head = first === -1 ? words : words.slice(0, first);
  const found: ParsedClauses = { duration: null, reason: null, ticket: null };
  for (let at = head.length; at < words.length;) {
    const key = words[at]?.key ?? "";
    if (key === "because") {
      at = readReason(text, words, at + 1, found);
    } else if (key === "for") {
      const span = durationAt(words, at + 1);
      if (span === undefined) return `After "for" comes a duration, such as 30m, 2h or 1d.`;
      if (found.duration !== null && found.duration !== span.duration)
        return "There are two durations; give one.";
      found.duration = span.duration;
      at = span.end;
    } else if (key === "ticket") {
      const ticket = words[at + 1];
      if (ticket === undefined) return `After "ticket" comes its number.`;
      found.ticket = ticket.text;
      at += 2;
    } else {
      return { head, ...found, stray: textBetween(text, words[at], words.at(-1)) };
    }
  }
  return { head, ...found, stray: null };
}

interface ParsedClauses {
  duration: string | null;
  reason: string | null;
  ticket: string | null;
}

/** Where reading goes on behind the reason. */
function readReason(
  text: string,
  words: readonly CommandToken[],
  from: number,
  found: ParsedClauses,
): number {
  const next = words[from + 1];
  const isQuotedAlone = words[from]?.isQuoted === true && (next === undefined || keywords.has(next.key));
  if (isQuotedAlone) {
    found.reason = textBetween(text, words[from], words[from]);
    return from + 1;
  }
  let end = words.length;
  for (let clause = endingClause(words, from, end, found); clause !== undefined;) {
    Object.assign(found, clause.parsed);
    end = clause.start;
    clause = endingClause(words, from, end, found);
  }
  found.reason = textBetween(text, words[from], words[end - 1]);
  return words.length;
}

/** A clause that ends exactly at `end`, has not been said, and leaves a reason before it. */
function endingClause(
  words: readonly CommandToken[],
  from: number,
  end: number,
  found: ParsedClauses,
): { readonly start: number; readonly parsed: Partial<ParsedClauses> } | undefined {
  for (let start = end - 2; start > from && start >= end - durationWordsMax - 1; start--) {
    const key = words[start]?.key;
    if (key === "for" && found.duration === null) {
      const span = durationAt(words.slice(0, end), start + 1);
      if (span?.end === end) return { start, parsed: { duration: span.duration } };
    }
    const ticket = words[end - 1]?.text ?? "";
    // "because I have lost my ticket again" names none.
    if (key === "ticket" && found.ticket === null && start === end - 2 && /\d/.test(ticket)) {
      return { start, parsed: { ticket } };
    }
  }
  return undefined;
}

const durationWordsMax = 6;

/** The longest run of words from `start` on that is a duration. */
export function durationAt(
  words: readonly CommandToken[],
  start: number,
): { readonly duration: string; readonly end: number } | undefined {
  for (let count = durationWordsMax; count > 0; count--) {
    const run = words.slice(start, start + count);
    const duration = run.length < count ? undefined : readDuration(run.map((word) => word.text).join(" "));
    if (duration !== undefined) return { duration, end: start + count };
  }
  return undefined;
}
