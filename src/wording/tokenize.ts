/** One word of what was typed, or what stood between quotation marks. */
export interface CommandToken {
  readonly text: string;
  /** In lower case; empty for quoted words, so that a quoted `for` is no keyword. */
  readonly key: string;
  /** Where it stands in the text, quotation marks included. */
  readonly start: number;
  readonly end: number;
  readonly isQuoted: boolean;
}

/** Straight, curly, low, angled: what keyboards and phones make of a quotation mark, with what closes it. */
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

/** The words of a text. A quotation that does not end is no quotation: its mark belongs to the word. */
export function tokenize(text: string): readonly CommandToken[] {
  const words: CommandToken[] = [];
  let at = 0;
  while (at < text.length) {
    const start = at + (/^[\s,]*/.exec(text.slice(at))?.[0].length ?? 0);
    if (start >= text.length) break;
    const word = quotedAt(text, start) ?? plainAt(text, start);
    words.push(word);
    at = word.end;
  }
  return words;
}

/** What a person wrote from here on, as it was, without the quotation marks around the whole of it. */
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

function quotedAt(text: string, start: number): CommandToken | undefined {
  const closing = closers.get(text[start] ?? "");
  if (closing === undefined) return undefined;
  for (let at = start + 1; at < text.length; at++) {
    const isEnd = closing.includes(text[at] ?? "") && /^(?:[\s,]|$)/.test(text.slice(at + 1, at + 2));
    if (isEnd) {
      return { text: text.slice(start + 1, at), key: "", start, end: at + 1, isQuoted: true };
    }
  }
  return undefined;
}

function plainAt(text: string, start: number): CommandToken {
  const found = /^[^\s,]+/.exec(text.slice(start))?.[0] ?? "";
  return { text: found, key: found.toLowerCase(), start, end: start + found.length, isQuoted: false };
}
