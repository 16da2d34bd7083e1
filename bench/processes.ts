import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const packageRoot = resolve(import.meta.dirname, "..");

/** A server in its own process, on 127.0.0.1. */
export interface Server {
  readonly port: number;
  /** From the start of the process until it logs that it listens. */
  readonly startMs: number;
  /** Processor time of all threads so far, in milliseconds, with a resolution of ten. */
  readonly cpuMs: () => number;
  readonly residentMb: () => number;
  readonly stop: () => Promise<void>;
}

/** Starts the program as `npm start` does. BENCH_FLAGS has further flags for Node, such as --cpu-prof. */
export async function startProgram(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  return startMain("src/main.ts", folder, env);
}

/** Starts the bundled program of `npm run build`, as the image does. */
export async function startBuilt(folder: string): Promise<Server> {
  return startMain("dist/code/server/main.mjs", folder, {});
}

async function startMain(
  main: string,
  folder: string,
  env: Readonly<Record<string, string>>,
): Promise<Server> {
  const guard = `file://${join(packageRoot, "src/app/process/require-node.mjs")}`;
  const flags = process.env["BENCH_FLAGS"]?.split(" ") ?? [];
  return startServer([...flags, "--import", guard, join(packageRoot, main)], folder, { PORT: "0", ...env });
}

/** Starts one of the servers in `bare/`. */
export async function startBare(name: string, folder: string): Promise<Server> {
  return startServer([join(packageRoot, "bench/bare", name)], folder, {});
}

/** Runs `work` in a temporary folder. */
export async function inTemporaryFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "jit-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Killed at exit, so that a failed measurement leaves no process behind. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

async function startServer(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): Promise<Server> {
  const start = performance.now();
  const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  child.once("exit", () => running.delete(child));
  const { pid } = child;
  if (pid === undefined) throw new Error(`${args.join(" ")} did not start`);
  const port = await waitForPort(child);
  const startMs = performance.now() - start;
  return {
    port,
    startMs,
    cpuMs: () => cpuMsOf(pid),
    residentMb: () => residentMbOf(pid),
    stop: () => stopServer(child),
  };
}

/** The port in the log line `"msg":"listening"`. Later output is read and dropped. */
async function waitForPort(child: ChildProcess): Promise<number> {
  let text = "";
  return new Promise((found, failed) => {
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      if (text === "done") return;
      text += chunk;
      const port = /"address":"http:\/\/127\.0\.0\.1:(\d+)".*"msg":"listening"/.exec(text)?.[1];
      if (port === undefined) return;
      text = "done";
      found(Number(port));
    });
    child.once("exit", (code) => failed(new Error(`a server ended with ${code}:\n${text}`)));
  });
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = new Promise((resolved) => {
    child.once("exit", resolved);
  });
  child.kill("SIGTERM");
  await gone;
}

/** Fields 14 and 15 of /proc/PID/stat, in hundredths of a second. The name in field 2 may contain spaces. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function residentMbOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
