import { dirname, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { loadEnvFile } from "./config/env-file.ts";
import { readEnvironment } from "./config/environment.ts";
import { formatInstant } from "./core/values/time.ts";
import { reloadSocketOf, requestReload } from "./app/process/reload-socket.ts";
import { packageRoot } from "./app/package-root.ts";
import { backUp, BackupError, restore, type Backup } from "./store/back-up-store.ts";
import { migrationsIn, StoreOpenError } from "./store/open-store.ts";

// The commands an operator runs on an installation: `npm run backup -- FILE`, `npm run reload` and so on.

const migrations = migrationsIn(packageRoot);

const usage =
  "Use npm run backup -- FILE, npm run restore -- FILE, npm run reload, npm run accept-clock, or npm run accept-head -- HASH.";

function databaseFile(): string {
  const problems = loadEnvFile(process.env);
  if (problems.length > 0) throw new BackupError(problems.join("\n"));
  const settings = readEnvironment(process.env);
  if ("ok" in settings) return settings.ok.databaseFile;
  throw new BackupError(settings.problems.map(({ name, message }) => `${name} ${message}`).join("; ") + ".");
}

async function backup(file: string): Promise<void> {
  printBackup("backup", await backUp(databaseFile(), file, migrations));
}

async function restoreFrom(file: string): Promise<void> {
  const stamp = new Date().toISOString().replaceAll(/[-:.]/g, "");
  const restored = await restore(databaseFile(), file, migrations, stamp);
  printBackup("restored", restored);
  if (restored.replaced !== undefined) print(`before    ${restored.replaced}\n`);
  print(
    "Access that ended after this backup was made is active again until it expires: see docs/backup.md.\n",
  );
}

async function acceptClock(isConfirmed: boolean): Promise<void> {
  // Loaded on demand, because a backup or a reload does not need the service's code.
  const { acceptSystemClock } = await import("./app/accept-clock.ts");
  const accepted = await acceptSystemClock(databaseFile(), async (found) => {
    const [from, to] = [formatInstant(found.from), formatInstant(found.to)];
    print(`The last change was recorded at ${from}; the system clock says ${to}.\n`);
    print("What has ended stays ended. What was granted after the system clock's time ends now: ");
    print(`${found.requests} requests and grants, ${found.keys} API keys.\n`);
    return isConfirmed || confirmed();
  });
  if (accepted === undefined)
    print("The system clock is not behind the last recorded change; nothing was changed.\n");
  else if (accepted.isAccepted) print(`accepted  ${formatInstant(accepted.to)}\n`);
  else throw new BackupError("Nothing was changed. Correct the system clock, or confirm with --yes.");
}

async function acceptLog(hash: string): Promise<void> {
  const { acceptHead } = await import("./app/accept-head.ts");
  const accepted = await acceptHead(databaseFile(), hash.toLowerCase());
  const { seq, hash: last } = accepted.head;
  if (accepted.is === "unknown") {
    throw new BackupError(
      `No record of the audit log has this hash; nothing was changed. The last one is number ${seq}: ${last}`,
    );
  }
  if (accepted.is === "not_needed") {
    return print("The audit log contains the last head that was seen; nothing was changed.\n");
  }
  print(`accepted  ${last}\nrecords   ${seq}\n`);
  if (!accepted.isChainWhole) print("The chain itself does not verify: see docs/incidents.md.\n");
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) return false;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return (await terminal.question("Type yes to accept the system clock: ")).trim() === "yes";
  } finally {
    terminal.close();
  }
}

/** Asks the running service to reload its configuration. The exit code is its result. */
async function reload(): Promise<void> {
  const file = databaseFile();
  const result = await requestReload(reloadSocketOf(file)).catch((error: unknown) => {
    throw new BackupError(whyNoReload(error, file));
  });
  if (!result.ok) throw new BackupError(["Not reloaded.", ...result.problems].join("\n  "));
  print(`reloaded  ${result.file}\nchanged   ${result.changed}\n`);
  for (const warning of result.warnings) print(`warning   ${warning}\n`);
}

function whyNoReload(error: unknown, file: string): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const folder = dirname(resolve(file));
  switch (code) {
    case "ENOENT":
    case "ECONNREFUSED":
      return `Not reloaded: no service runs on ${folder}. Check DATABASE_URL, and start the service.`;
    case "EACCES":
      return `Not reloaded: this account may not use ${folder}. Run it as the service's account.`;
    default:
      return `Probably not reloaded: ${error instanceof Error ? error.message : "unknown"}. Check the log of the service.`;
  }
}

function printBackup(label: string, { file, events, head }: Backup): void {
  print(`${label.padEnd(9)} ${file}\nrecords   ${events}\nhead      ${head}\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}

/** The sentence for an error that the operator can fix. A bug keeps its stack. */
function sentenceOf(error: unknown): string {
  const isKnown = error instanceof BackupError || error instanceof StoreOpenError;
  const isSystemError = error instanceof Error && ("syscall" in error || "code" in error);
  if (isKnown) return error.message;
  if (isSystemError) return systemErrorText(error);
  throw error;
}

/** A sentence for a system error; the most common operator mistakes get their own. */
function systemErrorText(error: Error & { readonly code?: unknown; readonly path?: unknown }): string {
  const path = typeof error.path === "string" ? error.path : "the file";
  switch (error.code) {
    case "ENOENT":
      return `${path} cannot be created or read: it, or its folder, does not exist.`;
    case "EACCES":
    case "EPERM":
      return `This account may not read or write ${path}. Run it as the service's account.`;
    case "ENOSPC":
      return `The disk is full: ${error.message}.`;
    default:
      return `It failed: ${error.message}.`;
  }
}

async function run(verb: string | undefined, args: readonly string[]): Promise<void> {
  const [first, ...rest] = args;
  const file = rest.length === 0 && first !== "" ? first : undefined;
  if (verb === "backup" && file !== undefined) return backup(file);
  if (verb === "restore" && file !== undefined) return restoreFrom(file);
  const isBare = args.length === 0;
  if (verb === "reload" && isBare) return reload();
  if (verb === "accept-head" && file !== undefined) return acceptLog(file);
  if (verb === "accept-clock" && (isBare || file === "--yes")) return acceptClock(!isBare);
  throw new BackupError(usage);
}

try {
  const [verb, ...args] = process.argv.slice(2);
  await run(verb, args);
} catch (error) {
  process.stderr.write(`${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
