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

/** Mrkdwn of a line: our words and times as they are, people's words as data that pings, links and formats nothing. */
export function mrkdwn(line: Line, max: number = limits.section): string {
  let text = "";
  for (const part of line) {
    const piece = mrkdwnPart(part, max - text.length);
    if (piece === undefined) break;
    text += piece;
  }
  return text;
}

/** Undefined: it does not fit, and cutting it would break it. */
function mrkdwnPart(part: TextSpan, room: number): string | undefined {
  if (typeof part === "string") return ours(part, room);
  if ("time" in part) {
    const text = dateText(part.time);
    return text.length <= room ? text : undefined;
  }
  return escapedUserText(inlineUserText(part), room);
}

/** Our words. What looks like a scope stands as code: `read:key:db` would else show a key between two words. */
function ours(text: string, room: number): string {
  const codes = text.match(scopeLike)?.length ?? 0;
  const cut = cutTo(text, room - 2 * codes, (piece) => escaped(piece).length);
  return escaped(cut).replaceAll(scopeLike, "`$&`");
}

const scopeLike = /(?<![\w`])[a-z][a-z0-9_.-]{0,31}:[A-Za-z0-9._:/@-]{0,127}[A-Za-z0-9_/@-]/g;

/** People's words inside mrkdwn: nothing in them is markup, whatever it looks like. */
function escapedUserText(text: string, room: number): string {
  const cut = cutTo(text, room, (piece) => unformatted(escaped(piece)).length);
  return unformatted(escaped(cut));
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A word joiner in front keeps Slack from reading the character as the beginning or end of a format or an emoji. */
function unformatted(text: string): string {
  return text.replaceAll(/[*_~`:]/g, "\u2060$&");
}

/** A moment in the reader's own time zone. */
function dateText(time: string): string {
  const seconds = Math.floor(Date.parse(time) / 1_000);
  return `<!date^${seconds}^{date_short_pretty} at {time}|${plainTime(time)}>`;
}

function plainTime(time: string): string {
  return `${time.slice(0, 16).replace("T", " ")} UTC`;
}

/** Plain text of a line, where Slack takes no markup. */
export function plainText(line: Line, max: number): string {
  const text = line
    .map((part) =>
      typeof part === "string" ? part : "time" in part ? plainTime(part.time) : inlineUserText(part),
    )
    .join("");
  return cutTo(escapeInvisible(text), max) || "–";
}
