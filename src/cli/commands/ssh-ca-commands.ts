import { chown, link, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { Failure, misuse } from "../io/failure.ts";
import type { CliIo } from "../io/cli-io.ts";
import { safeNote } from "../io/safe-text.ts";
import type { Cli } from "../api/session.ts";
import { newCaKey } from "../credentials/ssh-ca-key-file.ts";
import { shellWord } from "../io/shell-word.ts";

/**
 * Adds the commands that replace the key of an SSH connector's CA, on the machine of the service. Two steps, so that
 * hosts trust the new key before anything is signed with it. They need no API key and call no service.
 */
export function addSshCaCommands(program: Command, { io }: Cli): void {
  const sshCa = program.command("ssh-ca").summary("replace the key of an SSH connector's CA, in two steps");
  sshCa
    .command("prepare")
    .summary("make the next key, FILE.next, and print the line that hosts have to trust")
    .argument("<file>", "the connector's caKeyFile")
    .action(async (file: string) => prepare(file, io));
  sshCa
    .command("activate")
    .summary("put the prepared key in place; the old one stays as FILE.previous")
    .description(
      "Do this when every host trusts the prepared key. The service signs with it from the next claim on.",
    )
    .argument("<file>", "the connector's caKeyFile")
    .action(async (file: string) => activate(file, io));
}

const privateMode = 0o600;

async function prepare(file: string, io: CliIo): Promise<void> {
  const current = await realPathOf(file);
  const next = `${current}.next`;
  const { file: text, publicLine } = newCaKey();
  await explainWriteErrors(next, async () => {
    await writeFile(next, text, { mode: privateMode, flag: "wx" });
    await copyOwner(current, next);
    await writeFile(`${next}.pub`, `${publicLine}\n`);
  });
  await io.out(
    `${safeNote(next)} is the next CA key. Nothing is signed with it yet.\n\n` +
      "1. On every host, add this line to the file of TrustedUserCAKeys. Keep the existing lines:\n" +
      `${publicLine}\n\n` +
      `2. When every host has it: jit ssh-ca activate ${shellWord(file)}\n`,
  );
}

async function activate(file: string, io: CliIo): Promise<void> {
  const current = await realPathOf(file);
  const [next, previous] = [`${current}.next`, `${current}.previous`];
  const text = await readNext(next);
  if (text === undefined) {
    throw misuse(`There is no ${safeNote(next)}: make it with jit ssh-ca prepare ${shellWord(file)}.`);
  }
  if (!text.includes("BEGIN OPENSSH PRIVATE KEY")) {
    throw misuse(`${safeNote(next)} is no key of jit ssh-ca prepare: remove it, and prepare one.`);
  }
  await explainWriteErrors(current, async () => {
    await copyOwner(current, next);
    await keepPrevious(current, previous);
    // One rename, so that the service always finds a key, the old one or the new one.
    await rename(next, current);
    await rename(`${next}.pub`, `${current}.pub`).catch(ignoreMissing);
  });
  await io.out(
    `Certificates are signed with the new key from the next claim on. The old key is ${safeNote(previous)}.\n\n` +
      "jit connectors check names the old CA as long as its certificates are valid. After that, remove its line\n" +
      `from TrustedUserCAKeys on every host, and then: rm ${shellWord(previous)}\n`,
  );
}

async function readNext(next: string): Promise<string | undefined> {
  try {
    return await readFile(next, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw unwritable(error, next);
  }
}

/** The path behind links, so that a link is not replaced by a file. */
async function realPathOf(file: string): Promise<string> {
  return realpath(file).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return file;
    throw unwritable(error, file);
  });
}

/** Gives the new key to the owner of the current one, so that the service can read a key that root prepared. */
async function copyOwner(current: string, next: string): Promise<void> {
  const owner = await stat(current).catch(ignoreMissing);
  if (owner !== undefined && process.getuid?.() === 0) await chown(next, owner.uid, owner.gid);
}

/** Links the current key as the previous one. After an interrupted run both names may already be the same file. */
async function keepPrevious(current: string, previous: string): Promise<void> {
  const [currentFile, previousFile] = [
    await stat(current).catch(ignoreMissing),
    await stat(previous).catch(ignoreMissing),
  ];
  if (currentFile === undefined || currentFile.ino === previousFile?.ino) return;
  if (previousFile !== undefined) {
    throw misuse(
      `${safeNote(previous)} is there from an earlier replacement: remove it when no host trusts it any more.`,
    );
  }
  await link(current, previous);
  await rm(`${previous}.pub`, { force: true });
  await link(`${current}.pub`, `${previous}.pub`).catch(ignoreMissing);
}

async function explainWriteErrors(file: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    throw unwritable(error, file);
  }
}

function unwritable(error: unknown, file: string): unknown {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  if (code === "") return error;
  const name = safeNote(file);
  if (code === "EEXIST") {
    return misuse(`${name} is there already: activate it, or remove it to prepare another.`);
  }
  return misuse(`${name} cannot be written (${code}): run this on the service's machine, with its account.`);
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
