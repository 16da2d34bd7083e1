import { generateKeyPairSync, randomBytes } from "node:crypto";

/** A new ed25519 key pair in the formats of ssh-keygen: the private key file and the public line. */
export interface NewCaKey {
  readonly file: string;
  readonly publicLine: string;
}

const type = "ssh-ed25519";
const lineLength = 70;
const blockBytes = 8;

/** Makes a key pair without a passphrase, because the service signs with it. OpenSSH's PROTOCOL.key has the format. */
export function newCaKey(): NewCaKey {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const point = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(-32);
  const publicBlob = Buffer.concat([field(type), field(point)]);
  const check = randomBytes(4);
  const comment = field("jit-access");
  const secret = Buffer.concat([check, check, publicBlob, field(Buffer.concat([seed, point])), comment]);
  const padding = Array.from({ length: -secret.length & (blockBytes - 1) }, (_, index) => index + 1);
  const bytes = Buffer.concat([
    Buffer.from("openssh-key-v1\0", "latin1"),
    ...["none", "none", ""].map(field),
    number(1),
    field(publicBlob),
    field(Buffer.concat([secret, Buffer.from(padding)])),
  ]);
  const lines = bytes.toString("base64").match(new RegExp(`.{1,${lineLength}}`, "g")) ?? [];
  const pem = ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""];
  return { file: pem.join("\n"), publicLine: `${type} ${publicBlob.toString("base64")} jit-access` };
}

/** RFC 4251: each field is preceded by its length in four bytes. */
function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
