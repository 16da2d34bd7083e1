import { parseToken } from "./token-format.ts";

/** What nobody sees and what copying brings along: it may stand between any two characters of a token. */
const unseen =
  "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0]*";
/** Written as Markdown or in a URL, an underscore is escaped. */
const underscore = `(?:\\\\?_|%5f)${unseen}`;
const word = (text: string): string => Array.from(text, (letter) => letter + unseen).join("");

/**
 * Wherever it stands: what is pasted right behind a word or a `_` is a token all the same. The prefix in any case, for
 * it can be put right again; the rest only as it is.
 */
const tokenLikePattern = new RegExp(
  `${word("kd")}${underscore}(?:${word("jit")}|${word("live")})${underscore}(?:[0-9a-z]${unseen}){35}[0-9a-z]`,
  "gi",
);
/** Shorter than any token. */
const lengthMin = "kd_jit_".length + 36;

const unseenPattern = new RegExp(unseen.slice(0, -1), "g");

export interface Masked {
  readonly text: string;
  /** Well-formed tokens that were in it: leaked, so whoever holds them should lose them. */
  readonly leaked: readonly string[];
}

/** A person's own words without any token somebody pasted into them; only the kind and the last four stay. */
export function maskTokens(text: string): Masked {
  if (text.length < lengthMin) return { text, leaked: [] };
  const leaked: string[] = [];
  const masked = text.replaceAll(tokenLikePattern, (found) => {
    const token = asIssued(found);
    if (parseToken(token) !== undefined) leaked.push(token);
    return `${token.slice(0, token.lastIndexOf("_"))}_…${token.slice(-4)}`;
  });
  return { text: masked, leaked };
}

export function holdsToken(text: string): boolean {
  return maskTokens(text).text !== text;
}

/** As it was before somebody copied, escaped or capitalised it. */
function asIssued(found: string): string {
  const seen = found.replaceAll(unseenPattern, "").replaceAll(/\\?_|%5f/gi, "_");
  const end = seen.lastIndexOf("_") + 1;
  return seen.slice(0, end).toLowerCase() + seen.slice(end);
}

/** A text that holds a token: a value, or the name of a field. */
export interface TokenFound {
  /** Where it stands, itself without tokens. */
  readonly path: readonly string[];
  readonly text: string;
}

/** Every text with a token in it, however deep it stands in plain data. */
export function tokensIn(value: unknown, path: readonly string[] = []): readonly TokenFound[] {
  if (typeof value === "string") return holdsToken(value) ? [{ path, text: value }] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = [...path, maskTokens(name).text];
    const inName = holdsToken(name) ? [{ path: at, text: name }] : [];
    return [...inName, ...tokensIn(inner, at)];
  });
}

/** The same question without the answer, for what is asked at every commit. */
export function holdsTokenAnywhere(value: unknown): boolean {
  if (typeof value === "string") return holdsToken(value);
  if (typeof value !== "object" || value === null) return false;
  for (const name in value) {
    if (holdsToken(name) || holdsTokenAnywhere(Reflect.get(value, name))) return true;
  }
  return false;
}

/** The same plain data with every token in it masked, also in the names of fields. */
export function withoutTokens<T>(value: T): T;
export function withoutTokens(value: unknown): unknown {
  if (typeof value === "string") return maskTokens(value).text;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((one: unknown) => withoutTokens(one));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [maskTokens(name).text, withoutTokens(inner)]),
  );
}
