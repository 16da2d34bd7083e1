import { chown, link, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { Failure, misuse } from "../io/failure.ts";
import type { CliIo } from "../io/cli-io.ts";
import { safeNote } from "../io/safe-text.ts";
import type { Cli } from "../api/session.ts";
import { newCaKey } from "../credentials/ssh-ca-key-file.ts";
import { shellWord } from "../io/shell-word.ts";

/**
 * Replaces the key of an SSH connector's CA in two steps, on the machine of the service: hosts learn of the new key
 * before anything is signed with it. Needs no API key and calls nobody.
 */
export function addSshCaCommands(program: Command, { io }: Cli): void {
  const sshCa = program.command("ssh-ca").summary("replace the key of an SSH connector's CA, in two steps");
  sshCa
    .command("prepare")
    .summary("make the next key, FILE.next, and print what hosts have to trust")
    .argument("<file>", "the connector's caKeyFile")
    .action(async (file: string) => prepare(file, io));
  sshCa
    .command("activate")
    .summary("put the prepared key in place; the one before stays as FILE.previous")
    .description(
      "Do this when every host trusts the prepared key. The service signs with it from the next claim on.",
    )
    .argument("<file>", "the connector's caKeyFile")
    .action(async (file: string) => activate(file, io));
}

const privateMode = 0o600;

async function prepare(file: string, io: CliIo): Promise<void> {
  const current = await placeOf(file);
  const next = `${current}.next`;
  const { file: text, publicLine } = newCaKey();
  await writing(next, async () => {
    await writeFile(next, text, { mode: privateMode, flag: "wx" });
    await likeTheCurrent(current, next);
    await writeFile(`${next}.pub`, `${publicLine}\n`);
  });
  await io.out(
    `${safeNote(next)} is the next CA key. Nothing is signed with it yet.\n\n` +
      "1. On every host, add this line to the file of TrustedUserCAKeys. Keep the lines that are there:\n" +
      `${publicLine}\n\n` +
      `2. When every host has it: jit ssh-ca activate ${shellWord(file)}\n`,
  );
}

async function activate(file: string, io: CliIo): Promise<void> {
  const current = await placeOf(file);
  const [next, previous] = [`${current}.next`, `${current}.previous`];
  const text = await readNext(next);
  if (text === undefined) {
    throw misuse(`There is no ${safeNote(next)}: make it with jit ssh-ca prepare ${shellWord(file)}.`);
  }
  if (!text.includes("BEGIN OPENSSH PRIVATE KEY")) {
    throw misuse(`${safeNote(next)} is no key of jit ssh-ca prepare: remove it, and prepare one.`);
  }
  await writing(current, async () => {
    await likeTheCurrent(current, next);
    await keep(current, previous);
    // One move: the service finds the one key or the other, never none.
    await rename(next, current);
    await rename(`${next}.pub`, `${current}.pub`).catch(ignoreMissing);
  });
  await io.out(
    `Certificates are signed with the new key from the next claim on. The one before is ${safeNote(previous)}.\n\n` +
      "jit connectors check names the earlier CA as long as certificates of it are good. After that, remove its line\n" +
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

/** Links are followed, so that they stay links. */
async function placeOf(file: string): Promise<string> {
  return realpath(file).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return file;
    throw unwritable(error, file);
  });
}

/** The service has to be able to read it, also when root prepares it. */
async function likeTheCurrent(current: string, next: string): Promise<void> {
  const owner = await stat(current).catch(ignoreMissing);
  if (owner !== undefined && process.getuid?.() === 0) await chown(next, owner.uid, owner.gid);
}

/** Keeps the key under a second name. Cut off before the move, this is called again with both names for one file. */
async function keep(current: string, previous: string): Promise<void> {
  const [now, kept] = [await stat(current).catch(ignoreMissing), await stat(previous).catch(ignoreMissing)];
  if (now === undefined || now.ino === kept?.ino) return;
  if (kept !== undefined) {
    throw misuse(
      `${safeNote(previous)} is there from an earlier replacement: remove it when no host trusts it any more.`,
    );
  }
  await link(current, previous);
  await rm(`${previous}.pub`, { force: true });
  await link(`${current}.pub`, `${previous}.pub`).catch(ignoreMissing);
}

async function writing(file: string, act: () => Promise<void>): Promise<void> {
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
