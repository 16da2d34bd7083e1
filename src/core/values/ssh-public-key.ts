/** An OpenSSH public key as it may be signed: its type and its Base64, without the comment. */
export interface SshPublicKey {
  readonly line: string;
}

/** Nothing passes here that the connector could not sign (connectors/ssh-public-key.ts). */
const keyLengthMax = 8_000;
const rsaBitsMin = 2_048;
const rsaBitsMax = 8_192;

const curves = { nistp256: 65, nistp384: 97, nistp521: 133 } as const;

/**
 * The key of one line `ssh-ed25519 AAAA… comment`, or what is wrong with it. Taken are Ed25519, ECDSA on the NIST
 * curves, both on security keys too, and RSA of 2048 to 8192 bits. The blob must be what its type says, to the last
 * byte, for it is going to be signed. The comment is dropped, so that nothing of it gets into a certificate or a log.
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

/** A key on a security key also names the application it is for. */
function securityKeyProblem(type: string, fields: readonly (readonly number[])[]): string | undefined {
  const plain = {
    "sk-ssh-ed25519@openssh.com": "ssh-ed25519",
    "sk-ecdsa-sha2-nistp256@openssh.com": "ecdsa-sha2-nistp256",
  };
  const underneath = Object.entries(plain).find(([name]) => name === type)?.[1];
  if (underneath === undefined)
    return "must be an sk-ssh-ed25519@openssh.com or sk-ecdsa-sha2-nistp256@openssh.com key";
  if ((fields.at(-1) ?? []).length === 0) return "names no application";
  return problemOf(underneath, fields.slice(0, -1));
}

/** Of a multiple-precision integer, which has no needless zeros but the one that keeps it positive. */
function bitsOf(bytes: readonly number[]): number {
  const digits = bytes[0] === 0 ? bytes.slice(1) : bytes;
  const [top = 0] = digits;
  if (top === 0 || (bytes[0] !== 0 && top >= 128)) return 0;
  return (digits.length - 1) * 8 + (32 - Math.clz32(top));
}

/** RFC 4251: each field is preceded by its length in four bytes. Undefined when something is left over. */
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

/** Of Base64 with its padding; undefined for anything else. */
function bytesOf(base64: string): readonly number[] | undefined {
  if (base64 === "" || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const letter of base64.replace(/=+$/, "")) {
    held = (held << 6) | alphabet.indexOf(letter);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 255);
    held &= (1 << bits) - 1;
  }
  return bytes;
}
