import { maskTokens } from "../../core/values/mask-tokens.ts";

const breaks = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/** Control, direction, zero-width and private characters and lone surrogates, which can control a terminal or hide text. */
const controlCharacters = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Makes other people's text safe for one line of a terminal. Characters that could move the cursor, reverse or hide text
 * become a visible mark, so that user text cannot pass for ours.
 */
export function safeText(text: string): string {
  return text.replaceAll(breaks, " ").replaceAll(controlCharacters, "\uFFFD");
}

/** Like {@link safeText}, for several lines of data. */
export function safeLines(text: string): string {
  return text.replaceAll(/[^\P{C}\n\r\t]|[\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

/** Escapes control characters in JSON without changing its meaning. JSON itself escapes only ASCII controls. */
export function safeJson(json: string): string {
  return json.replaceAll(/[\u007F-\u009F\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => escaped(character.charCodeAt(index))).join(""),
  );
}

/** One safe line for notes and errors, with tokens masked. */
export function safeNote(text: string): string {
  return safeText(maskTokens(text).text);
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
