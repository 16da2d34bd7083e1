import { parseToken } from "./credential-format.ts";

/** Wherever it stands: what is pasted right behind a word or a `_` is a token all the same. */
const tokenLikePattern = /kd_(jit|live)_[0-9A-Za-z]{36}/g;

export interface Masked {
  readonly text: string;
  /** Well-formed tokens that were in it: leaked, so whoever holds them should lose them. */
  readonly leaked: readonly string[];
}

/** A person's own words without any token somebody pasted into them; only the kind and the last four stay. */
export function maskTokens(text: string): Masked {
  const leaked: string[] = [];
  const masked = text.replaceAll(tokenLikePattern, (token, kind: string) => {
    if (parseToken(token) !== undefined) leaked.push(token);
    return `kd_${kind}_…${token.slice(-4)}`;
  });
  return { text: masked, leaked };
}
