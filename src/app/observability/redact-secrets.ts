import { maskTokens } from "../../core/values/mask-tokens.ts";

/**
 * Secrets that must never be in a log: our tokens, the platforms' tokens, bearer headers, signing secrets and passwords
 * in connection strings. The last four characters of our own tokens stay, as everywhere. The patterns have no word
 * boundary in front, because in JSON a token may follow an escaped line break (`\nkd_jit_…`).
 */
const rules: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // Parts of tokens, after complete tokens are masked.
  [/kd_(jit|live)_[0-9A-Za-z]{6,}([0-9A-Za-z]{4})/g, "kd_$1_…$2"],
  [/xox[a-z]-[0-9A-Za-z-]+/g, "xox…"],
  [/xapp-[0-9A-Za-z-]+/g, "xapp-…"],
  [/whsec_[0-9A-Za-z+/=]+/g, "whsec_…"],
  [/(Bearer|Basic)\s+(?!kd_)[0-9A-Za-z._~+/=-]+/gi, "$1 …"],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/"]*):[^\s@/"]+@/gi, "$1:…@"],
];

/** Every secret contains one of these, and most lines contain none. */
const markers = /kd_|xox|xapp-|whsec_|bearer|basic|:\/\//i;

/** Redacts secrets in a text. Every log line passes through it. */
export function redactSecrets(text: string): string {
  const masked = maskTokens(text).text;
  if (!markers.test(masked)) return masked;
  return rules.reduce(
    (redacted, [pattern, replacement]) => redacted.replaceAll(pattern, replacement),
    masked,
  );
}
