import { parseToken } from "./token-format.ts";

/** Invisible characters that copying may insert between any two characters of a token. */
const invisible =
  "[\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0]*";
/** An underscore, which Markdown and URLs escape. */
const underscore = `(?:\\\\?_|%5f)${invisible}`;
const spelled = (text: string): string => Array.from(text, (letter) => letter + invisible).join("");

/**
 * Anything that looks like a token, also directly after a letter or a `_`. The prefix matches in any case, because
 * lower case restores it; the rest is case-sensitive.
 */
const tokenLikePattern = new RegExp(
  `${spelled("kd")}${underscore}(?:${spelled("jit")}|${spelled("live")})${underscore}(?:[0-9a-z]${invisible}){35}[0-9a-z]`,
  "gi",
);
/** Shorter texts cannot contain a token. */
const lengthMin = "kd_jit_".length + 36;

const invisiblePattern = new RegExp(invisible.slice(0, -1), "g");

export interface Masked {
  readonly text: string;
  /** Well-formed tokens that the text contained. They have leaked and should be revoked. */
  readonly leaked: readonly string[];
}

/** Masks every token in a text; only its kind and last four characters stay. */
export function maskTokens(text: string): Masked {
  if (text.length < lengthMin) return { text, leaked: [] };
  const leaked: string[] = [];
  const masked = text.replaceAll(tokenLikePattern, (found) => {
    const token = restoreToken(found);
    if (parseToken(token) !== undefined) leaked.push(token);
    return `${token.slice(0, token.lastIndexOf("_"))}_…${token.slice(-4)}`;
  });
  return { text: masked, leaked };
}

export function holdsToken(text: string): boolean {
  return maskTokens(text).text !== text;
}

/** Restores a token that was copied with invisible characters, escaped or capitalised. */
function restoreToken(found: string): string {
  const visible = found.replaceAll(invisiblePattern, "").replaceAll(/\\?_|%5f/gi, "_");
  const end = visible.lastIndexOf("_") + 1;
  return visible.slice(0, end).toLowerCase() + visible.slice(end);
}

/** A value, or the name of a field, that contains a token. */
export interface TokenFound {
  /** Path to the text, with tokens in it masked. */
  readonly path: readonly string[];
  readonly text: string;
}

/** Finds every text with a token in it, at any depth of plain data. */
export function tokensIn(value: unknown, path: readonly string[] = []): readonly TokenFound[] {
  if (typeof value === "string") return holdsToken(value) ? [{ path, text: value }] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = [...path, maskTokens(name).text];
    const inName = holdsToken(name) ? [{ path: at, text: name }] : [];
    return [...inName, ...tokensIn(inner, at)];
  });
}

/** Whether {@link tokensIn} would find any. Faster, because it runs at every commit. */
export function holdsTokenAnywhere(value: unknown): boolean {
  if (typeof value === "string") return holdsToken(value);
  if (typeof value !== "object" || value === null) return false;
  for (const name in value) {
    if (holdsToken(name) || holdsTokenAnywhere(Reflect.get(value, name))) return true;
  }
  return false;
}

/** Masks every token in plain data, also in the names of fields. */
export function withoutTokens<T>(value: T): T;
export function withoutTokens(value: unknown): unknown {
  if (typeof value === "string") return maskTokens(value).text;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withoutTokens(item));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [maskTokens(name).text, withoutTokens(inner)]),
  );
}
