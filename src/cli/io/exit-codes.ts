/** How `jit` ends, for scripts. `--help` and docs/cli.md print this very table. */
export const exitCodes = {
  ok: { code: 0, means: "done" },
  refused: { code: 1, means: "refused, or what was checked is not in order" },
  usage: { code: 2, means: "the command line or a setting is wrong" },
  unauthenticated: { code: 3, means: "no API key, or not a valid one" },
  notFound: { code: 4, means: "what was named is not there" },
  unreachable: { code: 5, means: "the service cannot be reached or is in trouble" },
  ended: { code: 6, means: "waited for, and denied, cancelled, timed out or over" },
  waitedTooLong: { code: 7, means: "--timeout has passed before anybody decided" },
  internal: { code: 70, means: "a fault of jit itself, or what it says cannot be written" },
} as const;

export type ExitName = keyof typeof exitCodes;

/** The end of `jit --help`. */
export function exitCodesHelp(): string {
  const lines = Object.values(exitCodes).map(({ code, means }) => `  ${String(code).padEnd(2)}  ${means}`);
  return `\nExit codes:\n${lines.join("\n")}\n      run: that of the command; 126 and 127 when it cannot be started, 128 + n when signal n ended it`;
}
