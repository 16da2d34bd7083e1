import { spawn, type ChildProcess } from "node:child_process";
import { resolve } from "node:path";
import type { CliIo } from "../../../src/cli/io/cli-io.ts";
import { runJit } from "../../../src/cli/program.ts";
import { formatToken } from "../../../src/core/values/token-format.ts";
import { keepTrackOf } from "../../support/leftover-processes.ts";

/** The exit code and the output of a command line. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** The requested waits in milliseconds. With `time: "virtual"` they took no time. */
  readonly pauses: readonly number[];
}

export interface JitOptions {
  readonly url?: string;
  readonly key?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** `virtual`: waits advance the clock and take no time. */
  readonly time?: "virtual" | "real";
  readonly isTerminal?: boolean;
  readonly columns?: number;
  /** The answer of the person at the terminal; absent: there is none. */
  readonly answer?: boolean;
  readonly timeoutMs?: number;
}

/** A well-formed key that does not exist. */
export const someKey = formatToken("live", "A".repeat(30));
/** The start of virtual time. */
export const virtualStart = Date.parse("2026-01-15T12:00:00.000Z");

/** Runs one command line in this process. */
export async function jit(args: readonly string[], options: JitOptions = {}): Promise<Ended> {
  const { url, key = someKey, environment = {}, time = "virtual", timeoutMs = 5_000 } = options;
  const { isTerminal = false, columns = 100 } = options;
  const pauses: number[] = [];
  let passedMs = 0;
  let out = "";
  let err = "";
  const decoder = new TextDecoder();
  const outside: CliIo = {
    environment: { ...(url !== undefined && { JIT_URL: url }), JIT_KEY: key, ...environment },
    out: async (text) => {
      out += typeof text === "string" ? text : decoder.decode(text, { stream: true });
    },
    err: (text) => {
      err += text;
    },
    isTerminal,
    columns,
    ...(options.answer !== undefined && {
      confirm: async (question: string) => {
        err += question;
        return options.answer === true;
      },
    }),
    timeoutMs,
    now: () => (time === "virtual" ? virtualStart + passedMs : Date.now()),
    pause: async (ms) => {
      pauses.push(ms);
      passedMs += ms;
      if (time === "real") await new Promise((passed) => setTimeout(passed, ms));
    },
  };
  const code = await runJit(args, outside);
  return { code, out, err, pauses };
}

/** The launcher of `jit`. */
export const launcher = resolve(import.meta.dirname, "../../../src/cli/jit.mjs");

export interface JitProcess {
  readonly child: ChildProcess;
  readonly said: { out: string; err: string };
  /** Resolves when it ends. `jit` itself exits with 128 + n for a signal, so `code` is null only after SIGKILL. */
  readonly ended: Promise<{ readonly code: number | null; readonly out: string; readonly err: string }>;
}

/** Starts `jit` as a process, with only the given environment and a PATH. */
export function startJit(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  { flags = [], input = "" }: { readonly flags?: readonly string[]; readonly input?: string } = {},
): JitProcess {
  const child = spawn(process.execPath, [...flags, launcher, ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
    stdio: ["pipe", "pipe", "pipe"],
  });
  keepTrackOf(child);
  const said = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said.out += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said.err += text;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const { promise, resolve: done } = Promise.withResolvers<{
    code: number | null;
    out: string;
    err: string;
  }>();
  child.once("close", (code) => done({ code, ...said }));
  return { child, said, ended: promise };
}
