/** `jit`: temporary credentials. `live`: long-lived API keys. */
export type TokenKind = "jit" | "live";

/** A token with the right form and checksum. Only the store knows whether it is valid. */
export interface WellFormedToken {
  readonly kind: TokenKind;
  readonly text: string;
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const secretLength = 30;
const checksumLength = 6;
const tokenPattern = /^kd_(jit|live)_[0-9A-Za-z]{36}$/;

/**
 * Builds a token: prefix, 30 base62 characters (178 random bits), and a checksum of 6. The checksum is the CRC32 of
 * everything before it, so that a typing mistake is recognised without a look-up (docs/tokens.md#format).
 */
export function formatToken(kind: TokenKind, secret: string): string {
  const body = `kd_${kind}_${secret}`;
  return body + checksumOf(body);
}

/** The token when form and checksum are right, else undefined. Never throws. */
export function parseToken(text: string): WellFormedToken | undefined {
  const match = tokenPattern.exec(text);
  if (match === null) return undefined;
  const bodyLength = text.length - checksumLength;
  if (numberOf(text.slice(bodyLength)) !== crc32(text, bodyLength)) return undefined;
  return { kind: match[1] === "jit" ? "jit" : "live", text };
}

/** Makes unbiased base62 characters from random bytes, by skipping bytes of 248 and more. */
export function secretFrom(randomBytes: (count: number) => Uint8Array): string {
  let secret = "";
  while (secret.length < secretLength) {
    for (const byte of randomBytes(secretLength)) {
      if (byte < 248 && secret.length < secretLength) secret += alphabet[byte % 62];
    }
  }
  return secret;
}

function checksumOf(body: string): string {
  let remaining = crc32(body, body.length);
  let text = "";
  for (let digit = 0; digit < checksumLength; digit++) {
    text = `${alphabet[remaining % 62]}${text}`;
    remaining = Math.floor(remaining / 62);
  }
  return text;
}

/** The value of base62 digits. */
function numberOf(digits: string): number {
  let value = 0;
  for (let index = 0; index < digits.length; index++)
    value = value * 62 + (digitOf[digits.charCodeAt(index)] ?? 0);
  return value;
}

/** The value of each base62 digit, by its character code. */
const digitOf = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, alphabet.indexOf(String.fromCharCode(code))),
);

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value >>> 0;
});

/** CRC-32 as in zlib, over the first `length` characters of an ASCII text. */
function crc32(text: string, length: number): number {
  let crc = 0xffffffff;
  for (let index = 0; index < length; index++) {
    crc = (crc >>> 8) ^ (crcTable[(crc ^ text.charCodeAt(index)) & 0xff] ?? 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
