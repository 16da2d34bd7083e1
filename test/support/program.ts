import { spawn, type ChildProcessByStdio } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { beforeAll, expect } from "vitest";
import { secretsFound } from "./find-secrets.ts";
import { createApiClient, type ApiClient } from "./api-client.ts";
import { keepTrackOf, killed, temporaryFolder, whenFileIsOver } from "./leftover-processes.ts";

const shipped = resolve(import.meta.dirname, "../..");
const startMaxMs = 20_000;
/** A clean stop is guaranteed to take no longer. */
const stopMaxMs = 10_000;

export interface ProgramOptions {
  /** The folder of the program and its data; absent: a new one. Reusing it continues with its data. */
  readonly folder?: string;
  /** The text of `jit.yaml`, or an object for it; absent: the file stays as it is. */
  readonly config?: unknown;
  /** In addition to PORT, LOG_LEVEL and DATABASE_URL. */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder with the output of `npm run build`, like the image; absent: the sources of this checkout. */
  readonly image?: string;
  /** Further flags for Node, before our own. */
  readonly flags?: readonly string[];
  /** Starts the program by `npm start` in its own folder, as documented. Signals go to npm. */
  readonly throughNpm?: boolean;
  /** A command that runs the program's command line, such as `setpriv …`. */
  readonly through?: readonly string[];
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A running program: its process, log, API and signals. */
export interface Program extends ApiClient {
  readonly folder: string;
  readonly address: string;
  readonly pid: number;
  readonly log: readonly LogLine[];
  /** The first log line with this message, now or soon. */
  logged(msg: string | RegExp, after?: number): Promise<LogLine>;
  /**
   * Sends SIGTERM and checks a clean stop: exit 0 in time, `stopped` as the last line, no unexpected errors in the log, and
   * no secret in files or log.
   */
  stop(options?: { readonly expectedErrors?: number; readonly signal?: NodeJS.Signals }): Promise<void>;
  /** Sends SIGKILL, waits for the end, and checks that the files contain no secret. */
  kill(): Promise<void>;
  hup(): void;
  /** Writes the configuration file. */
  configure(config: unknown): void;
}

/** A finished run: its exit code and output. */
export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** Starts the program on a free port and waits until it listens. @throws when it does not start. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const folder = options.folder ?? temporaryFolder();
  const run = launch(folder, options);
  const listening = await line(run, "listening", startMaxMs);
  const address = String(listening["address"]);
  const keyFile = join(folder, "data/admin-key");
  const adminKey = options.env?.["JIT_ADMIN_KEY"] ?? readFileSync(keyFile, "utf8").trim();
  run.given.add(adminKey);
  const client = createApiClient(address, adminKey, (text) => {
    for (const [token] of text.matchAll(/\bkd_(?:jit|live)_[0-9A-Za-z]{36}\b/g)) run.given.add(token);
    // Of targets.
    for (const [, secret = ""] of text.matchAll(/"secret":"([^"]{16,})"/g)) run.given.add(secret);
  });
  return {
    ...client,
    folder,
    address,
    pid: run.child.pid ?? 0,
    log: run.log,
    logged: (msg, after = 0) => line(run, msg, startMaxMs, after),
    stop: (how) => stop(run, folder, client, how),
    async kill() {
      await killed(run.child);
      expect(secretsFound(folder, run.given, { log: run.out }), "places that hold a secret").toEqual([]);
    },
    hup: () => void run.child.kill("SIGHUP"),
    configure: (config) => writeConfig(folder, config),
  };
}

/** Runs the program to its end, for starts that fail. A program that keeps running is killed, which is an error. */
export async function runProgram(options: ProgramOptions = {}): Promise<Ended> {
  const run = launch(options.folder ?? temporaryFolder(), options);
  const late = AbortSignal.timeout(startMaxMs);
  const isUp = () => run.log.some(({ msg }) => msg === "listening");
  await until(() => run.ended || late.aborted || isUp());
  if (!run.ended) {
    await killed(run.child);
    throw new Error(`the program started, or hung:\n${run.out}`);
  }
  return { code: run.child.exitCode, out: run.out, error: run.error };
}

/** Starts the program and kills it after this time, at any point of its start. */
export async function killedWhileStarting(options: ProgramOptions, afterMs: number): Promise<void> {
  const run = launch(options.folder ?? temporaryFolder(), options);
  await pause(afterMs);
  await killed(run.child);
}

/** One program for all tests of a file: started before the first, stopped cleanly after the last. */
export function sharedProgram(options: ProgramOptions = {}): () => Program {
  let program: Program | undefined;
  beforeAll(async () => {
    program = await startProgram(options);
  });
  whenFileIsOver(async () => program?.stop());
  return () => {
    if (program === undefined) throw new Error("the shared program is there only inside tests");
    return program;
  };
}

/** Waits for a condition that depends on other processes. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(10);
}

export async function pause(ms: number): Promise<void> {
  await new Promise((passed) => setTimeout(passed, ms));
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Run {
  readonly child: Child;
  out: string;
  error: string;
  readonly log: LogLine[];
  /** Resolves when the process has ended and its output is read. */
  ended: boolean;
  /** Every secret that the program returned on purpose. */
  readonly given: Set<string>;
}

function launch(folder: string, options: ProgramOptions): Run {
  if (options.config !== undefined) writeConfig(folder, options.config);
  const child = options.throughNpm === true ? npmStart(folder, options) : nodeStart(folder, options);
  keepTrackOf(child);
  const run: Run = { child, out: "", error: "", log: [], ended: false, given: new Set() };
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    run.out += text;
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    // A line that is no JSON is no log line; stop() reports it.
    run.log.push(
      ...lines.map((one) => (one.startsWith("{") ? JSON.parse(one) : { level: "none", msg: one })),
    );
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    run.error += text;
  });
  child.once("close", () => {
    run.ended = true;
  });
  return run;
}

/** Set by `npm run test:built`, which builds first, so that nothing older is tested. */
const isBuilt = process.env["JIT_TEST_BUILT"] === "1";

function nodeStart(folder: string, { env, flags = [], image, through = [] }: ProgramOptions): Child {
  const app = image ?? shipped;
  const guard = pathToFileURL(join(app, "src/app/process/require-node.mjs")).href;
  const main = image !== undefined || isBuilt ? "dist/code/server/main.mjs" : "src/main.ts";
  const words = [...through, process.execPath, ...flags, "--import", guard, join(app, main)];
  return spawn(words[0] ?? process.execPath, words.slice(1), {
    cwd: folder,
    env: { PORT: "0", DATABASE_URL: "file:data/jit.db", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** In its own process group, so that no descendant of npm can remain. */
function npmStart(folder: string, { env }: ProgramOptions): Child {
  return spawn("npm", ["start", "--silent"], {
    cwd: shipped,
    env: {
      PATH: process.env["PATH"] ?? "",
      PORT: "0",
      DATABASE_URL: `file:${join(folder, "data/jit.db")}`,
      JIT_CONFIG: join(folder, "jit.yaml"),
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
}

function writeConfig(folder: string, config: unknown): void {
  const text = typeof config === "string" ? config : JSON.stringify(config, undefined, 2);
  // Replaced atomically, as editors do, because the service may be reading it.
  writeFileSync(join(folder, "jit.yaml.new"), text);
  renameSync(join(folder, "jit.yaml.new"), join(folder, "jit.yaml"));
}

async function line(run: Run, msg: string | RegExp, withinMs: number, after = 0): Promise<LogLine> {
  const late = AbortSignal.timeout(withinMs);
  const found = () =>
    run.log.slice(after).find((one) => (typeof msg === "string" ? one.msg === msg : msg.test(one.msg)));
  await until(() => found() !== undefined || run.ended || late.aborted);
  const said = found();
  if (said === undefined) throw new Error(`the log never said ${String(msg)}:\n${run.error}${run.out}`);
  return said;
}

async function stop(
  run: Run,
  folder: string,
  client: ApiClient,
  { expectedErrors = 0, signal = "SIGTERM" }: { expectedErrors?: number; signal?: NodeJS.Signals } = {},
): Promise<void> {
  const audit = JSON.stringify(await client.audit());
  const late = AbortSignal.timeout(stopMaxMs);
  run.child.kill(signal);
  await until(() => run.ended || late.aborted);
  const { exitCode, signalCode } = run.child;
  if (!run.ended) await killed(run.child);
  expect({ code: exitCode, signal: signalCode }, `how it ended:\n${run.error}`).toEqual({
    code: 0,
    signal: null,
  });
  expect(run.log.at(-1)?.msg).toBe("stopped");
  expect(run.error).toBe("");
  const bad = run.log.filter(({ level }) => !["debug", "info", "warn"].includes(level));
  expect(bad, "errors in the log").toHaveLength(expectedErrors);
  expect(existsSync(join(folder, "data/jit.db-wal")), "the log was written back").toBe(false);
  const places = { log: run.out, audit };
  expect(secretsFound(folder, run.given, places), "places that hold a secret").toEqual([]);
}
