import { createPrivateKey, createPublicKey, sign } from "node:crypto";
import { readWire, wire } from "./wire.ts";

/** The key that signs certificates. */
export interface SshCaKey {
  /** In SSH wire format. */
  readonly publicBlob: Buffer;
  /** As in `TrustedUserCAKeys`. */
  readonly publicLine: string;
  /** @returns a signature in SSH wire format. */
  readonly sign: (bytes: Buffer) => Buffer;
}

const type = "ssh-ed25519";
const opensshMagic = "openssh-key-v1\0";

/** Reads an unencrypted ed25519 key as written by `ssh-keygen` or `openssl`; undefined for anything else. */
export function readSshCaKey(text: string): SshCaKey | undefined {
  try {
    const seed = seedOf(text);
    return seed && caKeyOf(seed);
  } catch (error) {
    // The parser's message may quote the key, so it must not be repeated.
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function caKeyOf(seed: Buffer): SshCaKey {
  const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const publicBlob = wire.strings([type, spki.subarray(-32)]);
  return {
    publicBlob,
    publicLine: `${type} ${publicBlob.toString("base64")}`,
    sign: (bytes) => wire.strings([type, sign(null, bytes, key)]),
  };
}

function seedOf(text: string): Buffer | undefined {
  const openssh = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/.exec(text)?.[1];
  if (openssh !== undefined) return seedOfOpenssh(Buffer.from(openssh, "base64"));
  const key = createPrivateKey(text);
  if (key.asymmetricKeyType !== "ed25519") return undefined;
  return key.export({ format: "der", type: "pkcs8" }).subarray(-32);
}

/** OpenSSH's PROTOCOL.key: cipher, key derivation, its options, number of keys, public key, private key. */
function seedOfOpenssh(bytes: Buffer): Buffer | undefined {
  if (bytes.subarray(0, opensshMagic.length).toString("latin1") !== opensshMagic) return undefined;
  const outer = readWire(bytes.subarray(opensshMagic.length));
  const cipher = outer.string().toString();
  outer.string();
  outer.string();
  if (cipher !== "none" || outer.u32() !== 1) return undefined;
  outer.string();
  const inner = readWire(outer.string());
  if (inner.u32() !== inner.u32() || inner.string().toString() !== type) return undefined;
  inner.string();
  return inner.string().subarray(0, 32);
}
