import type { Line, TextSpan } from "../../wording/card-text.ts";
import { inlineUserText } from "../../wording/user-text.ts";
import { cutTo, escapeInvisible } from "../../wording/escape-invisible.ts";

/** A sentence as plain text on one line; times in UTC. */
export function plainLine(line: Line): string {
  return line.map(plainPart).join("");
}

/** The same as HTML: escaped, with user text isolated so that its direction marks cannot reorder ours. */
export function htmlLine(line: Line): string {
  return line.map(htmlPart).join("");
}

/** User text on one line, cut to this length. */
export function oneLine(text: string, max: number): string {
  return cutTo(escapeInvisible(text).replaceAll(/\s+/g, " ").trim(), max);
}

export function escaped(text: string): string {
  return escapeInvisible(text).replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** The limit for user text inside a sentence. The full text follows below. */
const inlineTextMax = 300;

function plainPart(part: TextSpan): string {
  if (typeof part === "string") return collapseSpaces(part);
  return "time" in part ? utc(part.time) : cutTo(inlineUserText(part), inlineTextMax);
}

function htmlPart(part: TextSpan): string {
  if (typeof part === "string") return escaped(collapseSpaces(part));
  if ("time" in part) return escaped(utc(part.time));
  return `<bdi>${escaped(cutTo(inlineUserText(part), inlineTextMax))}</bdi>`;
}

/** Removes line ends, because our text may contain configured names. Spaces at the ends are kept. */
function collapseSpaces(text: string): string {
  return escapeInvisible(text).replaceAll(/\s+/g, " ");
}

/** `2024-01-15T10:30:00.000Z` → `2024-01-15 10:30 UTC`, because we do not know the reader's time zone. */
function utc(time: string): string {
  const [, day, clock] = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}):\d{2}(?:\.\d+)?Z$/.exec(time) ?? [];
  return day === undefined || clock === undefined ? time : `${day} ${clock} UTC`;
}
