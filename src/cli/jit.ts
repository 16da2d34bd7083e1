import { createInterface } from "node:readline/promises";
import { setTimeout as passed } from "node:timers/promises";
import type { CliIo } from "./io/cli-io.ts";
import { exitCodes } from "./io/exit-codes.ts";
import { pastedArguments } from "./io/pasted-arguments.ts";
import { runJit } from "./program.ts";
import { exitCodeOf } from "./io/signals.ts";
import { terminalColumns } from "./io/terminal-columns.ts";

// The entry point of the CLI. jit.mjs starts it on a Node that reads TypeScript.

const { stdout, stderr } = process;

stdout.on("error", (error: NodeJS.ErrnoException) => {
  // The reader has closed the pipe, as `head` does.
  if (error.code === "EPIPE") process.exit(exitCodeOf("SIGPIPE"));
  stderr.write(`${cannotPrint(error.code)}\n`, () => process.exit(exitCodes.internal.code));
});
// Ignored, because a lost note must not stop a command that is running.
stderr.on("error", () => {});

function cannotPrint(code = "unknown"): string {
  return `jit: The output could not be written (${code}); the command itself was done, and jit rotate replaces a lost token. (not_printed)`;
}

const io: CliIo = {
  environment: process.env,
  out: async (text) => {
    await new Promise<void>((resolve) => stdout.write(text, () => resolve()));
  },
  err: (text) => void stderr.write(text),
  isTerminal: stdout.isTTY,
  columns: terminalColumns(process.env, stdout.columns),
  ...(process.stdin.isTTY && stdout.isTTY && { confirm }),
  timeoutMs: 15_000,
  now: Date.now,
  pause: async (ms, signal) => {
    // An aborted pause is no error, because the caller checks the signal.
    await passed(ms, undefined, signal === undefined ? {} : { signal }).catch(() => {});
  },
};

async function confirm(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: stderr });
  try {
    return /^(?:y|yes)$/i.test((await lines.question(question)).trim());
  } finally {
    lines.close();
  }
}

process.exitCode = await runJit(pastedArguments(process.argv.slice(2)), io);
