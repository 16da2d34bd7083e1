import { maskTokens } from "../../core/values/mask-tokens.ts";

/** Ends whatever a token opens; for one that was found where it should not be. */
export type ReportLeak = (token: string) => Promise<void>;

/** A person's words without the tokens that were pasted into them. */
export type RedactTokens = (text: string) => Promise<string>;

/** Tokens in people's words are masked and ended: whoever reads the words could use them. */
export function createTokenRedactor(report: ReportLeak): RedactTokens {
  return async (text) => {
    const { text: masked, leaked } = maskTokens(text);
    for (const token of leaked) await report(token);
    return masked;
  };
}
