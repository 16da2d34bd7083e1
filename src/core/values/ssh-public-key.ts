/** An OpenSSH public key that may be signed: type and Base64, without the comment. */
export interface SshPublicKey {
  readonly line: string;
}

/** The limits match what the connector can sign (connectors/ssh/key-fields.ts). */
const keyLengthMax = 8_000;
const rsaBitsMin = 2_048;
const rsaBitsMax = 8_192;

const curves = { nistp256: 65, nistp384: 97, nistp521: 133 } as const;

/**
 * Parses a line such as `ssh-ed25519 AAAA… comment`, or says what is wrong with it. Accepted are Ed25519 and ECDSA on
 * the NIST curves (both also on security keys), and RSA of 2048 to 8192 bits. The blob is checked to the last byte,
 * because we sign it. The comment is dropped, so that it reaches no certificate or log.
 */
export function parseSshPublicKey(text: string): SshPublicKey | { readonly problem: string } {
  const line = text.trim();
  if (line.length > keyLengthMax) return { problem: "is longer than 8,000 characters" };
  if (line.includes("PRIVATE KEY"))
    return {
      problem: "is a private key, which nobody else may have: make a new pair, and send its public key",
    };
  if (/[\r\n]/.test(line)) return { problem: "must be one line" };
  const [type = "", base64 = ""] = line.split(/[ \t]+/);
  const bytes = bytesOf(base64);
  if (bytes === undefined) return { problem: "must be a type and a key in Base64, as in an id_ed25519.pub" };
  const fields = fieldsOf(bytes);
  if (fields === undefined || textOf(fields[0]) !== type)
    return { problem: "is damaged: its type and its content differ" };
  const problem = problemOf(type, fields.slice(1));
  return problem === undefined ? { line: `${type} ${base64}` } : { problem };
}

function problemOf(type: string, fields: readonly (readonly number[])[]): string | undefined {
  const [first = [], second = [], ...more] = fields;
  if (type === "ssh-ed25519") {
    return fields.length === 1 && first.length === 32 ? undefined : "is not an Ed25519 key";
  }
  if (type === "ssh-rsa") {
    const bits = bitsOf(second);
    if (more.length > 0 || first.length === 0 || bits === 0) return "is not an RSA key";
    return bits < rsaBitsMin || bits > rsaBitsMax
      ? `has ${bits} bits; RSA keys have 2048 to 8192`
      : undefined;
  }
  if (type.startsWith("sk-")) return securityKeyProblem(type, fields);
  const curve = Object.entries(curves).find(([name]) => type === `ecdsa-sha2-${name}`);
  if (curve === undefined) return "must be an ssh-ed25519, ecdsa-sha2-nistp…, sk-… or ssh-rsa key";
  const [name, length] = curve;
  const isPoint = second.length === length && second[0] === 4;
  return more.length === 0 && textOf(first) === name && isPoint ? undefined : `is not a key on ${name}`;
}

/** Checks a key on a security key, which also names its application. */
function securityKeyProblem(type: string, fields: readonly (readonly number[])[]): string | undefined {
  const baseTypes = {
    "sk-ssh-ed25519@openssh.com": "ssh-ed25519",
    "sk-ecdsa-sha2-nistp256@openssh.com": "ecdsa-sha2-nistp256",
  };
  const baseType = Object.entries(baseTypes).find(([name]) => name === type)?.[1];
  if (baseType === undefined)
    return "must be an sk-ssh-ed25519@openssh.com or sk-ecdsa-sha2-nistp256@openssh.com key";
  if ((fields.at(-1) ?? []).length === 0) return "names no application";
  return problemOf(baseType, fields.slice(0, -1));
}

/** The bit length of a multiple-precision integer; 0 when it has needless leading zeros or is negative. */
function bitsOf(bytes: readonly number[]): number {
  const digits = bytes[0] === 0 ? bytes.slice(1) : bytes;
  const [top = 0] = digits;
  if (top === 0 || (bytes[0] !== 0 && top >= 128)) return 0;
  return (digits.length - 1) * 8 + (32 - Math.clz32(top));
}

/** Splits a blob into its length-prefixed fields (RFC 4251); undefined when bytes are left over. */
function fieldsOf(bytes: readonly number[]): readonly (readonly number[])[] | undefined {
  const fields: (readonly number[])[] = [];
  for (let at = 0; at < bytes.length;) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(at, at + 4);
    const length = ((a * 256 + b) * 256 + c) * 256 + d;
    const end = at + 4 + length;
    if (at + 4 > bytes.length || end > bytes.length) return undefined;
    fields.push(bytes.slice(at + 4, end));
    at = end;
  }
  return fields;
}

function textOf(bytes: readonly number[] = []): string {
  return String.fromCharCode(...bytes.slice(0, 64));
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Decodes padded Base64; undefined for anything else. */
function bytesOf(base64: string): readonly number[] | undefined {
  if (base64 === "" || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let buffer = 0;
  for (const letter of base64.replace(/=+$/, "")) {
    buffer = (buffer << 6) | alphabet.indexOf(letter);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((buffer >> bits) & 255);
    buffer &= (1 << bits) - 1;
  }
  return bytes;
}
