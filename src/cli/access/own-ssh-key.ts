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

/** Reads the public key for a claim. @throws Failure when the file is unreadable, or is a private key */
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

/** Names the caller's own key file in the SSH commands; the service can only guess the default one. */
export function namingOwnKey(
  targets: readonly CredentialTarget[],
  { sshKey }: KeyOptions,
): CredentialTarget[] {
  if (sshKey?.endsWith(".pub") !== true) return [...targets];
  return targets.map((target) => ({ ...target, command: namingKey(target.command, sshKey) }));
}

function namingKey(command: string | null, sshKey: string): string | null {
  const identity = `-i ${shellWord(sshKey.slice(0, -".pub".length))} `;
  return command?.replace(/(?<=^ssh )-i ~\/\.ssh\/\S+ /, () => identity) ?? null;
}
