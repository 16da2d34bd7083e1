/** A typed word, or the text between quotation marks. */
export interface CommandToken {
  readonly text: string;
  /** In lower case; empty for quoted text, so that a quoted `for` is not a keyword. */
  readonly key: string;
  /** Position in the text, quotation marks included. */
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

/** Opening quotation marks of keyboards and phones, with the marks that close each. */
const closers: ReadonlyMap<string, string> = new Map([
  ['"', '"“”'],
  ["“", '”"“'],
  ["”", '”"'],
  ["„", '“”"'],
  ["«", "»"],
  ["»", "«"],
  ["'", "'’"],
  ["‘", "’'"],
  ["’", "’'"],
  ["`", "`"],
]);

/** Splits a text into words. A quotation mark that is never closed belongs to its word. */
export function tokenize(text: string): readonly CommandToken[] {
  const tokens: CommandToken[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at + (/^[\s,]*/.exec(text.slice(at))?.[0].length ?? 0);
    if (start >= text.length) break;
    const token = quotedToken(text, start) ?? wordToken(text, start);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

/** The original text from one token to another, without the quotation marks of a single quoted token. */
export function textBetween(
  text: string,
  from: CommandToken | undefined,
  to: CommandToken | undefined,
): string | null {
  if (from === undefined || to === undefined || from.start > to.start) return null;
  const rawText = from === to && from.isQuoted ? from.text : text.slice(from.start, to.end);
  const trimmed = rawText.trim();
  return trimmed === "" ? null : trimmed;
}

function quotedToken(text: string, start: number): CommandToken | undefined {
  const closingMarks = closers.get(text[start] ?? "");
  if (closingMarks === undefined) return undefined;
  for (let at = start + 1; at < text.length; at++) {
    const isEnd = closingMarks.includes(text[at] ?? "") && /^(?:[\s,]|$)/.test(text.slice(at + 1, at + 2));
    if (isEnd) {
      return { text: text.slice(start + 1, at), key: "", start, end: at + 1, isQuoted: true };
    }
  }
  return undefined;
}

function wordToken(text: string, start: number): CommandToken {
  const found = /^[^\s,]+/.exec(text.slice(start))?.[0] ?? "";
  return { text: found, key: found.toLowerCase(), start, end: start + found.length, isQuoted: false };
}
