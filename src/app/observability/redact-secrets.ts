import { maskTokens } from "../../core/values/mask-tokens.ts";

/**
 * What must never be in a log, wherever it came from: our tokens, the platforms' tokens, bearer headers, signing
 * secrets and passwords inside connection strings. The last four characters of our own tokens stay, as everywhere.
 * Wherever they stand: in a line of JSON a letter goes before what begins a new line (`\nkd_jit_…`).
 */
const rules: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // What is left of a token after whole ones are masked: cut off, or with more behind it.
  [/kd_(jit|live)_[0-9A-Za-z]{6,}([0-9A-Za-z]{4})/g, "kd_$1_…$2"],
  [/xox[a-z]-[0-9A-Za-z-]+/g, "xox…"],
  [/xapp-[0-9A-Za-z-]+/g, "xapp-…"],
  [/whsec_[0-9A-Za-z+/=]+/g, "whsec_…"],
  [/(Bearer|Basic)\s+(?!kd_)[0-9A-Za-z._~+/=-]+/gi, "$1 …"],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"]*):[^\s@/"]+@/gi, "$1:…@"],
];

/** What at least one of stands in whatever a rule finds; most lines hold none of them. */
const signs = /kd_|xox|xapp-|whsec_|bearer|basic|:\/\//i;

/** The text without secrets. The one place where log lines are cleaned. */
export function redactSecrets(text: string): string {
  const masked = maskTokens(text).text;
  if (!signs.test(masked)) return masked;
  return rules.reduce(
    (redacted, [pattern, replacement]) => redacted.replaceAll(pattern, replacement),
    masked,
  );
}
