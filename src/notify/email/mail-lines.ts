import type { Line, TextSpan } from "../../wording/card-text.ts";
import { inlineUserText } from "../../wording/user-text.ts";
import { cutTo, escapeInvisible } from "../../wording/escape-invisible.ts";

/** A sentence as plain text on one line; times in UTC. */
export function plainLine(line: Line): string {
  return line.map(plainPart).join("");
}

/** The same as HTML: everything escaped, and people's words kept from turning ours around. */
export function htmlLine(line: Line): string {
  return line.map(htmlPart).join("");
}

/** Somebody's words on one line, at most this long. */
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

/** Names and comments inside of a sentence; longer ones stand below, whole. */
const saidMax = 300;

function plainPart(part: TextSpan): string {
  if (typeof part === "string") return oneSpaced(part);
  return "time" in part ? utc(part.time) : cutTo(inlineUserText(part), saidMax);
}

function htmlPart(part: TextSpan): string {
  if (typeof part === "string") return escaped(oneSpaced(part));
  if ("time" in part) return escaped(utc(part.time));
  return `<bdi>${escaped(cutTo(inlineUserText(part), saidMax))}</bdi>`;
}

/** Our own words may hold names from the configuration: no line end either, but spaces at the ends matter. */
function oneSpaced(text: string): string {
  return escapeInvisible(text).replaceAll(/\s+/g, " ");
}

/** `2024-01-15 10:30 UTC` of `2024-01-15T10:30:00.000Z`. A mail does not know its reader's time zone. */
function utc(time: string): string {
  const [, day, clock] = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}):\d{2}(?:\.\d+)?Z$/.exec(time) ?? [];
  return day === undefined || clock === undefined ? time : `${day} ${clock} UTC`;
}
