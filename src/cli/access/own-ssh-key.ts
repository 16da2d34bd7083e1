import { Option } from "commander";
import { parseSshPublicKey } from "../../core/values/ssh-public-key.ts";
import type { CredentialTarget } from "../api/api-schemas.ts";
import type { ClaimBody } from "./ask-and-claim.ts";
import { misuse } from "../io/failure.ts";
import { readTextFile } from "../io/read-text-file.ts";
import { shellWord } from "../io/shell-word.ts";

export interface KeyOptions {
  readonly sshKey?: string;
}

export function sshKeyOption(): Option {
  return new Option("--ssh-key <file>", "your public key, for targets reached by SSH (id_ed25519.pub)");
}

/** @throws Failure when the file cannot be read, or holds no public key: a private one never leaves the machine. */
export function claimBodyOf({ sshKey }: KeyOptions): ClaimBody {
  if (sshKey === undefined) return {};
  const text = readTextFile(sshKey);
  if (text.includes("PRIVATE KEY")) {
    throw misuse(
      `${sshKey} is a private key, which stays secret: name the public one, such as ${sshKey}.pub.`,
    );
  }
  const key = parseSshPublicKey(text);
  if ("line" in key) return { sshPublicKey: key.line };
  throw misuse(`${sshKey} ${key.problem}; name your public key, such as id_ed25519.pub.`);
}

/** The service names the file where ssh-keygen would have put such a key; we know where it is. */
export function namingOwnKey(
  targets: readonly CredentialTarget[],
  { sshKey }: KeyOptions,
): CredentialTarget[] {
  if (sshKey?.endsWith(".pub") !== true) return [...targets];
  return targets.map((one) => ({ ...one, command: namingKey(one.command, sshKey) }));
}

function namingKey(command: string | null, sshKey: string): string | null {
  const identity = `-i ${shellWord(sshKey.slice(0, -".pub".length))} `;
  return command?.replace(/(?<=^ssh )-i ~\/\.ssh\/\S+ /, () => identity) ?? null;
}
