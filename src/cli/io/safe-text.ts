import { maskTokens } from "../../core/values/mask-tokens.ts";

const breaks = /[\t\n\v\f\r\u0085\u2028\u2029]+/g;
/** Controls, direction marks, zero-width and private characters, halves of pairs: what steers a terminal or hides. */
const controlCharacters = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

/**
 * Other people's words on one line of a terminal. Whatever could move the cursor, reverse the text or hide something
 * becomes a visible mark, so that a reason cannot pretend to be ours.
 */
export function safeText(text: string): string {
  return text.replaceAll(breaks, " ").replaceAll(controlCharacters, "\uFFFD");
}

/** The same for several lines of data, whose line ends stay. */
export function safeLines(text: string): string {
  return text.replaceAll(/[^\P{C}\n\r\t]|[\p{Zl}\p{Zp}]/gu, "\uFFFD");
}

/** JSON that means the same and cannot steer a terminal: JSON itself leaves all but the oldest controls as they are. */
export function safeJson(json: string): string {
  return json.replaceAll(/[\u007F-\u009F\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, index) => escaped(character.charCodeAt(index))).join(""),
  );
}

/** For notes and errors: one safe line without any token, however it came there. */
export function safeNote(text: string): string {
  return safeText(maskTokens(text).text);
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}
