import { Option } from "commander";
import { parseSshPublicKey } from "../core/ssh-public-key.ts";
import type { ClaimBody } from "./asking.ts";
import { misuse } from "./failure.ts";
import { readTextFile } from "./read-text-file.ts";

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

/** A file's name as it can be pasted into a shell. */
export function shellWord(text: string): string {
  return /^[\w./@%+=:,-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
