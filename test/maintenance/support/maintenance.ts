import Database from "better-sqlite3";
import { spawn } from "node:child_process";
import { chmodSync, cpSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { text } from "node:stream/consumers";
import { beforeAll } from "vitest";
import { keepTrackOf, temporaryFolder } from "../../support/leftover-processes.ts";
import { startProgram } from "../../support/program.ts";

const shipped = resolve(import.meta.dirname, "../../..");

export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
  /** What stands behind this word at the beginning of a line of `out`. */
  word(name: string): string;
}

/** What `npm run backup -- FILE` and `npm run restore -- FILE` run, in the folder of an installation. */
export async function maintain(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<Said> {
  const guard = pathToFileURL(join(shipped, "src/app/process/require-node.mjs")).href;
  const child = spawn(process.execPath, ["--import", guard, join(shipped, "src/maintenance.ts"), ...args], {
    cwd: folder,
    env: { DATABASE_URL: "file:data/jit.db", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  keepTrackOf(child);
  const ended = new Promise<number | null>((done) => child.once("close", done));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out, error, word: (name) => new RegExp(`^${name} +(.*)$`, "m").exec(out)?.[1] ?? "" };
}

/** A stopped installation with somebody's access in it, made once for all tests of a file; each gets a copy. */
export function installation(config: unknown, scopes: readonly string[]): () => string {
  let made = "";
  beforeAll(async () => {
    const program = await startProgram({ config });
    await (await program.person("dev")).ask({ scopes });
    await program.stop();
    made = program.folder;
  });
  return () => {
    const folder = temporaryFolder();
    cpSync(made, folder, { recursive: true });
    chmodSync(join(folder, "data"), 0o700);
    return folder;
  };
}

/** The permissions of a file or folder, in octal. */
export function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

export function namesIn(folder: string): readonly string[] {
  return readdirSync(folder).toSorted();
}

/** Does something to a database from outside, as no operator should. */
export function tamper(file: string, change: (client: Database.Database) => void): void {
  const client = new Database(file);
  try {
    change(client);
  } finally {
    client.close();
  }
}

/** The actions of the audit log in this file, in order. */
export function actionsIn(file: string): readonly string[] {
  const client = new Database(file, { readonly: true });
  try {
    return client
      .prepare<[], { action: string }>(
        "SELECT json_extract(body, '$.action') AS action FROM audit_events ORDER BY seq",
      )
      .all()
      .map((row) => row.action);
  } finally {
    client.close();
  }
}
