import { readWire } from "./wire.ts";

/** A key that certificates are made for. */
export interface SshPublicKey {
  /** `ssh-ed25519`, … */
  readonly type: string;
  /** What follows the type in the key's wire form: these very bytes go into a certificate. */
  readonly fields: Buffer;
}

const lengthMax = 8_000;
const rsaBytesMin = 256;
const rsaBytesMax = 1_024;

/** How many fields follow the type, by type; a key on a security key also names the application it is for. */
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
 * A line as in `id_ed25519.pub`; its comment is ignored. Undefined when it is no public key, is a certificate, or is
 * too weak: RSA below 2048 bits, DSA.
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
    const inside = readWire(fields);
    const parts = Array.from({ length: count }, () => inside.string());
    return inside.isAtEnd() && isSound(type, parts) ? { type, fields } : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function isSound(type: string, parts: readonly Buffer[]): boolean {
  const [first, second] = parts;
  if (type.includes("ed25519")) return first?.length === 32;
  // A positive number may carry a zero in front.
  if (type === "ssh-rsa") {
    const length = second?.length ?? 0;
    return length >= rsaBytesMin && length <= rsaBytesMax + 1;
  }
  return first?.toString() === /nistp\d+/.exec(type)?.[0] && second?.[0] === 4;
}
