import { maskTokens } from "../../core/values/mask-tokens.ts";

/** Ends the access of a token that was found where it should not be. */
export type ReportLeak = (token: string) => Promise<void>;

/** Free text without the tokens that were pasted into it. */
export type RedactTokens = (text: string) => Promise<string>;

/** Masks tokens in free text and ends their access, because every reader of the text could use them. */
export function createTokenRedactor(report: ReportLeak): RedactTokens {
  return async (text) => {
    const { text: masked, leaked } = maskTokens(text);
    for (const token of leaked) await report(token);
    return masked;
  };
}
