import { randomBytes } from "node:crypto";
import type { Instant } from "../../core/values/ids.ts";
import type { SshCaKey } from "./ca-key.ts";
import type { SshPublicKey } from "./key-fields.ts";
import { wire } from "./wire.ts";

/** The content of a certificate beside its key. */
export interface CertificateTerms {
  readonly serial: bigint;
  /** What sshd logs when the certificate is used. */
  readonly keyId: string;
  readonly principals: readonly string[];
  readonly validAfter: Instant;
  readonly validBefore: Instant;
  readonly forceCommand?: string;
  readonly sourceAddresses?: readonly string[];
}

const userCertificate = 1;
const nonceBytes = 32;

/**
 * Signs a user certificate (OpenSSH's PROTOCOL.certkeys) in the format of a `…-cert.pub` file. It permits a terminal
 * and nothing else: no forwarding of ports, agents or X11.
 */
export function signCertificate(ca: SshCaKey, key: SshPublicKey, terms: CertificateTerms): string {
  const type = certificateType(key.type);
  const options = [
    option("force-command", terms.forceCommand),
    option("source-address", terms.sourceAddresses?.join(",")),
  ];
  const signed = Buffer.concat([
    wire.string(type),
    wire.string(randomBytes(nonceBytes)),
    key.fields,
    wire.u64(terms.serial),
    wire.u32(userCertificate),
    wire.string(terms.keyId),
    wire.string(wire.strings(terms.principals)),
    wire.u64(seconds(terms.validAfter)),
    wire.u64(seconds(terms.validBefore)),
    wire.string(Buffer.concat(options)),
    wire.string(wire.strings(["permit-pty", ""])),
    wire.string(""),
    wire.string(ca.publicBlob),
  ]);
  const certificate = Buffer.concat([signed, wire.string(ca.sign(signed))]);
  return `${type} ${certificate.toString("base64")} ${terms.keyId}`;
}

function option(name: string, value: string | undefined): Buffer {
  return value === undefined ? Buffer.alloc(0) : wire.strings([name, wire.string(value)]);
}

/** `sk-ssh-ed25519@openssh.com` becomes `sk-ssh-ed25519-cert-v01@openssh.com`. */
function certificateType(keyType: string): string {
  return `${keyType.replace(/@openssh\.com$/, "")}-cert-v01@openssh.com`;
}

function seconds(at: Instant): bigint {
  return BigInt(Math.floor(at / 1_000));
}
