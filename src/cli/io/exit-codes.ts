/** The exit codes of `jit`, for scripts. `--help` and docs/cli.md show this table. */
export const exitCodes = {
  ok: { code: 0, means: "done" },
  refused: { code: 1, means: "refused, or a check found problems" },
  usage: { code: 2, means: "the command line or a setting is wrong" },
  unauthenticated: { code: 3, means: "no API key, or not a valid one" },
  notFound: { code: 4, means: "what was named does not exist" },
  unreachable: { code: 5, means: "the service cannot be reached or failed" },
  ended: { code: 6, means: "waited, and it was denied, cancelled, timed out or ended" },
  waitedTooLong: { code: 7, means: "nobody decided before --timeout" },
  internal: { code: 70, means: "a bug in jit, or its output cannot be written" },
} as const;

export type ExitName = keyof typeof exitCodes;

/** The exit codes as `jit --help` prints them. */
export function exitCodesHelp(): string {
  const lines = Object.values(exitCodes).map(({ code, means }) => `  ${String(code).padEnd(2)}  ${means}`);
  return `\nExit codes:\n${lines.join("\n")}\n      run: that of the command; 126 and 127 when it cannot be started, 128 + n when signal n ended it`;
}
