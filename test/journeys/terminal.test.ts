import Database from "better-sqlite3";
import { spawn, spawnSync, type ChildProcessByStdio } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { keepTrackOf, leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { runProgram, startProgram, until } from "../support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");
const inTerminal = join(root, "test/support/terminal.py");
const isThere = spawnSync("python3", ["--version"]).error === undefined && existsSync("/proc/self/stat");
const reason = isThere ? "" : " (skipped: needs Linux and python3 for a terminal)";

interface Terminal {
  readonly folder: string;
  readonly said: () => string;
  readonly type: (text: string) => void;
  /** Closes the terminal, as closing its window does. */
  readonly close: () => Promise<void>;
}

const started: string[] = [];

/** Process ids of services that a failed test left running. */
afterEach(() => {
  for (const folder of started.splice(0)) {
    const pid = holderOf(folder);
    if (pid !== undefined && isAlive(pid)) process.kill(pid, "SIGKILL");
  }
});

function holderOf(folder: string): number | undefined {
  const file = join(folder, "data/lock.pid");
  return existsSync(file) ? Number(/^\d+/.exec(readFileSync(file, "utf8"))?.[0]) : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function openTerminal(command: readonly string[]): Terminal {
  const folder = temporaryFolder();
  started.push(folder);
  writeFileSync(join(folder, "jit.yaml"), "{}");
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn("python3", [inTerminal, ...command], {
    cwd: root,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      PORT: "0",
      DATABASE_URL: `file:${join(folder, "data/jit.db")}`,
      JIT_CONFIG: join(folder, "jit.yaml"),
      LOG: join(folder, "log"),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  keepTrackOf(child);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const closed = new Promise<void>((done) => child.once("exit", () => done()));
  return {
    folder,
    said: () => said + (existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8") : ""),
    type: (text) => void child.stdin.write(text),
    close: async () => {
      child.stdin.end();
      await closed;
    },
  };
}

async function listening(terminal: Terminal): Promise<number> {
  await until(() => terminal.said().includes('"msg":"listening"'));
  const pid = holderOf(terminal.folder);
  if (pid === undefined) throw new Error("the lock names nobody");
  return pid;
}

const nodeLine = `'${process.execPath}' --import ./src/app/process/require-node.mjs src/main.ts`;

describe.skipIf(!isThere)(`a terminal that is closed${reason}`, () => {
  test.each([
    ["npm start in its window", ["npm", "start"], ""],
    ["npm start in its shell", ["bash", "--norc", "-i"], "npm start\n"],
    ["npm start in the background of its shell", ["bash", "--norc", "-i"], "npm start &\n"],
    ["with its log in a file", ["bash", "--norc", "-i"], 'npm start > "$LOG" 2>&1\n'],
    ["without npm", ["bash", "--norc", "-i"], `${nodeLine}\n`],
  ])("stops the service: %s; the data folder is free again", async (_how, command, typed) => {
    const terminal = openTerminal(command);
    terminal.type(typed);
    const pid = await listening(terminal);
    await terminal.close();
    await until(() => !isAlive(pid));
    expect(holderOf(terminal.folder)).toBeUndefined();
    const again = await startProgram({ folder: terminal.folder });
    await again.stop();
  });

  test.each([
    ["nohup", 'nohup npm start > "$LOG" 2>&1 &\n'],
    ["nohup without npm", `nohup ${nodeLine} > "$LOG" 2>&1 &\n`],
    ["setsid", 'setsid npm start > "$LOG" 2>&1 &\n'],
    ["setsid with its output at the terminal", "setsid npm start &\n"],
  ])("leaves a service alone that was started by %s; SIGHUP still reloads it", async (_how, typed) => {
    const terminal = openTerminal(["bash", "--norc", "-i"]);
    terminal.type(typed);
    const pid = await listening(terminal);
    await terminal.close();
    const refused = await runProgram({ folder: terminal.folder });
    expect(refused.error).toContain(`held by pid ${pid}`);
    const before = loads(terminal.folder);
    process.kill(pid, "SIGHUP");
    await until(() => loads(terminal.folder) > before);
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, "SIGTERM");
    await until(() => !isAlive(pid));
  });
});

test.skipIf(!isThere)(`SIGHUP reloads while the terminal is there${reason}`, async () => {
  const terminal = openTerminal(["npm", "start"]);
  const pid = await listening(terminal);
  const loaded = () => terminal.said().split('"msg":"configuration loaded"').length;
  const before = loaded();
  process.kill(pid, "SIGHUP");
  await until(() => loaded() > before);
  expect(isAlive(pid)).toBe(true);
  process.kill(pid, "SIGTERM");
  await until(() => !isAlive(pid));
  await terminal.close();
});

/** How often a configuration was loaded, from the audit log, also while a process has the database open. */
function loads(folder: string): number {
  const client = new Database(join(folder, "data/jit.db"), { readonly: true });
  try {
    return client
      .prepare<[], { count: number }>(
        'SELECT count(*) AS count FROM audit_events WHERE body LIKE \'%"action":"config.loaded"%\'',
      )
      .all()
      .reduce((sum, { count }) => sum + count, 0);
  } finally {
    client.close();
  }
}
