import type { Line, TextSpan } from "../../../wording/card-text.ts";
import { inlineUserText } from "../../../wording/user-text.ts";
import { cutTo, escapeInvisible } from "../../../wording/escape-invisible.ts";

/** Slack's limits in characters. */
export const limits = {
  section: 3_000,
  field: 2_000,
  header: 150,
  button: 75,
  option: 75,
  blocks: 50,
  viewBlocks: 100,
} as const;

/** A line as mrkdwn. User text in it is data that mentions, links and formats nothing. */
export function mrkdwn(line: Line, max: number = limits.section): string {
  let text = "";
  for (const part of line) {
    const piece = mrkdwnPart(part, max - text.length);
    if (piece === undefined) break;
    text += piece;
  }
  return text;
}

/** Undefined: the part does not fit and cannot be cut. */
function mrkdwnPart(part: TextSpan, lengthMax: number): string | undefined {
  if (typeof part === "string") return ownText(part, lengthMax);
  if ("time" in part) {
    const text = dateText(part.time);
    return text.length <= lengthMax ? text : undefined;
  }
  return escapedUserText(inlineUserText(part), lengthMax);
}

/** Our own text. Scopes become code, because Slack would show the emoji of a key for `read:key:db`. */
function ownText(text: string, lengthMax: number): string {
  const codes = text.match(scopeLike)?.length ?? 0;
  const cut = cutTo(text, lengthMax - 2 * codes, (piece) => escaped(piece).length);
  return escaped(cut).replaceAll(scopeLike, "`$&`");
}

const scopeLike = /(?<![\w`])[a-z][a-z0-9_.-]{0,31}:[A-Za-z0-9._:/@-]{0,127}[A-Za-z0-9_/@-]/g;

/** User text inside mrkdwn, escaped so that nothing in it is markup. */
function escapedUserText(text: string, lengthMax: number): string {
  const cut = cutTo(text, lengthMax, (piece) => unformatted(escaped(piece)).length);
  return unformatted(escaped(cut));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Puts a word joiner before formatting characters, so that Slack reads no format or emoji. */
function unformatted(text: string): string {
  return text.replaceAll(/[*_~`:]/g, "\u2060$&");
}

/** A time in the reader's time zone. */
function dateText(time: string): string {
  const seconds = Math.floor(Date.parse(time) / 1_000);
  return `<!date^${seconds}^{date_short_pretty} at {time}|${plainTime(time)}>`;
}

function plainTime(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}

/** A line as plain text, where Slack accepts no markup. */
export function plainText(line: Line, max: number): string {
  const text = line
    .map((part) =>
      typeof part === "string" ? part : "time" in part ? plainTime(part.time) : inlineUserText(part),
    )
    .join("");
  return cutTo(escapeInvisible(text), max) || "–";
}
