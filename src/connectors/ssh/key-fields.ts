import { readWire } from "./wire.ts";

/** A public key to be certified. */
export interface SshPublicKey {
  /** `ssh-ed25519`, … */
  readonly type: string;
  /** The bytes after the type in wire format, copied into the certificate unchanged. */
  readonly fields: Buffer;
}

const lengthMax = 8_000;
const rsaBytesMin = 256;
const rsaBytesMax = 1_024;

/** The number of fields after the type. A key on a security key has one more for its application. */
const fieldCounts: Readonly<Record<string, number>> = {
  "ssh-ed25519": 1,
  "ssh-rsa": 2,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
  "sk-ssh-ed25519@openssh.com": 2,
  "sk-ecdsa-sha2-nistp256@openssh.com": 3,
};

/**
 * Parses a line as in `id_ed25519.pub`, ignoring its comment. Undefined for anything that is not a public key, for
 * certificates, and for weak keys: RSA below 2048 bits, and DSA.
 */
export function parseSshPublicKey(line: string): SshPublicKey | undefined {
  const [type = "", base64 = ""] = line.length > lengthMax ? [] : line.trim().split(/[ \t]+/, 2);
  const count = Object.hasOwn(fieldCounts, type) ? fieldCounts[type] : undefined;
  if (count === undefined || /[\r\n]/.test(line.trim()) || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    return undefined;
  try {
    const reader = readWire(Buffer.from(base64, "base64"));
    if (reader.string().toString() !== type) return undefined;
    const fields = reader.rest();
    const fieldReader = readWire(fields);
    const parts = Array.from({ length: count }, () => fieldReader.string());
    return fieldReader.isAtEnd() && isStrongEnough(type, parts) ? { type, fields } : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function isStrongEnough(type: string, parts: readonly Buffer[]): boolean {
  const [first, second] = parts;
  if (type.includes("ed25519")) return first?.length === 32;
  // The encoding may add a leading zero byte to a positive number.
  if (type === "ssh-rsa") {
    const length = second?.length ?? 0;
    return length >= rsaBytesMin && length <= rsaBytesMax + 1;
  }
  return first?.toString() === /nistp\d+/.exec(type)?.[0] && second?.[0] === 4;
}
