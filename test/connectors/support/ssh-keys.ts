import { generateKeyPairSync } from "node:crypto";
import { wire } from "../../../src/connectors/ssh/wire.ts";

/** A new CA key in the format of openssl. */
export function caKeyText(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

/** A new public key line, as in id_ed25519.pub. */
export function publicKeyLine(): string {
  const { publicKey } = generateKeyPairSync("ed25519");
  const key = publicKey.export({ format: "der", type: "spki" }).subarray(-32);
  return `ssh-ed25519 ${wire.strings(["ssh-ed25519", key]).toString("base64")}`;
}
