import { readFileSync } from "node:fs";
import { Option } from "commander";
import { parseSshPublicKey } from "../core/ssh-public-key.ts";
import type { ClaimBody } from "./asking.ts";
import { misuse } from "./failure.ts";

export interface KeyOptions {
  readonly sshKey?: string;
}

export function sshKeyOption(): Option {
  return new Option("--ssh-key <file>", "your public key, for targets reached by SSH (id_ed25519.pub)");
}

/** @throws Failure when the file cannot be read, or holds no public key: a private one never leaves the machine. */
export function claimBodyOf({ sshKey }: KeyOptions): ClaimBody {
  if (sshKey === undefined) return {};
  const key = parseSshPublicKey(textOf(sshKey));
  if ("line" in key) return { sshPublicKey: key.line };
  throw misuse(`${sshKey} ${key.problem}.`);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw misuse(`${file} cannot be read.`);
  }
}
