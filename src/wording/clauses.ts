import { readDuration } from "./duration-words.ts";
import { textBetween, type CommandToken } from "./tokenize.ts";

/** The clauses `… for 2h because … ticket INC-42`, in any order; null when absent. */
export interface Clauses {
  /** The tokens before the first clause. */
  readonly head: readonly CommandToken[];
  readonly duration: string | null;
  readonly reason: string | null;
  readonly ticket: string | null;
  /** Text after a clause that belongs to none. */
  readonly stray: string | null;
}

const keywords: ReadonlySet<string> = new Set(["for", "because", "ticket"]);

/**
 * Parses the clauses, or returns one sentence about what is wrong. A reason runs to the end of the text. If the text
 * ends with a `for …` or `ticket …` that has not occurred yet, that is a clause of its own: a shorter duration must
 * not be read as part of the reason.
 */
export function parseClauses(text: string, tokens: readonly CommandToken[]): Clauses | string {
  const first = tokens.findIndex(({ key }) => keywords.has(key));
  const head = first === -1 ? tokens : tokens.slice(0, first);
  const parsed: ParsedClauses = { duration: null, reason: null, ticket: null };
  for (let at = head.length; at < tokens.length;) {
    const key = tokens[at]?.key ?? "";
    if (key === "because") {
      at = parseReason(text, tokens, at + 1, parsed);
    } else if (key === "for") {
      const span = durationAt(tokens, at + 1);
      if (span === undefined) return `After "for" comes a duration, such as 30m, 2h or 1d.`;
      if (parsed.duration !== null && parsed.duration !== span.duration)
        return "There are two durations; give one.";
      parsed.duration = span.duration;
      at = span.end;
    } else if (key === "ticket") {
      const ticket = tokens[at + 1];
      if (ticket === undefined) return `After "ticket" comes its number.`;
      parsed.ticket = ticket.text;
      at += 2;
    } else {
      return { head, ...parsed, stray: textBetween(text, tokens[at], tokens.at(-1)) };
    }
  }
  return { head, ...parsed, stray: null };
}

interface ParsedClauses {
  duration: string | null;
  reason: string | null;
  ticket: string | null;
}

/** Parses a reason; returns the index at which to continue. */
function parseReason(
  text: string,
  tokens: readonly CommandToken[],
  from: number,
  parsed: ParsedClauses,
): number {
  const next = tokens[from + 1];
  const isQuotedAlone = tokens[from]?.isQuoted === true && (next === undefined || keywords.has(next.key));
  if (isQuotedAlone) {
    parsed.reason = textBetween(text, tokens[from], tokens[from]);
    return from + 1;
  }
  let end = tokens.length;
  for (let clause = endingClause(tokens, from, end, parsed); clause !== undefined;) {
    Object.assign(parsed, clause.parsed);
    end = clause.start;
    clause = endingClause(tokens, from, end, parsed);
  }
  parsed.reason = textBetween(text, tokens[from], tokens[end - 1]);
  return tokens.length;
}

/** A new clause that ends exactly at `end` and leaves a reason before it. */
function endingClause(
  tokens: readonly CommandToken[],
  from: number,
  end: number,
  parsed: ParsedClauses,
): { readonly start: number; readonly parsed: Partial<ParsedClauses> } | undefined {
  for (let start = end - 2; start > from && start >= end - durationTokensMax - 1; start--) {
    const key = tokens[start]?.key;
    if (key === "for" && parsed.duration === null) {
      const span = durationAt(tokens.slice(0, end), start + 1);
      if (span?.end === end) return { start, parsed: { duration: span.duration } };
    }
    const ticket = tokens[end - 1]?.text ?? "";
    // "because I have lost my ticket again" names no ticket.
    if (key === "ticket" && parsed.ticket === null && start === end - 2 && /\d/.test(ticket)) {
      return { start, parsed: { ticket } };
    }
  }
  return undefined;
}

const durationTokensMax = 6;

/** The longest run of tokens from `start` that is a duration. */
export function durationAt(
  tokens: readonly CommandToken[],
  start: number,
): { readonly duration: string; readonly end: number } | undefined {
  for (let count = durationTokensMax; count > 0; count--) {
    const run = tokens.slice(start, start + count);
    const duration = run.length < count ? undefined : readDuration(run.map(({ text }) => text).join(" "));
    if (duration !== undefined) return { duration, end: start + count };
  }
  return undefined;
}
