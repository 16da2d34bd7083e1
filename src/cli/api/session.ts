import type { Command } from "commander";
import { identity, readAs } from "./api-schemas.ts";
import { createApi, type Api } from "./api-client.ts";
import type { ApiResponse } from "./http-calls.ts";
import type { CliIo } from "../io/cli-io.ts";
import { safeJson, safeNote } from "../io/safe-text.ts";
import { readSettings } from "../io/settings.ts";
import { shellWord } from "../io/shell-word.ts";

/** What a command works with: the service, and its outputs. */
export interface Session {
  readonly api: Api;
  readonly io: CliIo;
  /** Prints to standard output: the unchanged response with `--json`, else the text of `human`. */
  show(response: Pick<ApiResponse, "text">, human: () => string): Promise<void>;
  /** Prints one line for a person to standard error. */
  note(text: string): void;
  /** A command line that can be pasted: with the way this program was started, and the key file in use. */
  readonly command: (subcommand: string) => string;
  /** The id of the identity that owns the key. */
  me(): Promise<string>;
}

/** The context that all commands share. */
export interface Cli {
  readonly io: CliIo;
  /** @throws Failure when there is no key, or a setting is wrong. */
  open(command: Command): Session;
  /** Sets the exit code of a run that does not fail. */
  exitWith(code: number): void;
}

export interface GlobalOptions {
  readonly json?: boolean;
  readonly keyFile?: string;
}

export function openSession(io: CliIo, { json = false, keyFile }: GlobalOptions): Session {
  const api = createApi(readSettings(io.environment, keyFile), io);
  return {
    api,
    io,
    show: async ({ text }, human) => io.out(json ? formatJson(text, io) : human()),
    note: (text) => io.err(noteLine(text)),
    command: (subcommand) =>
      `${startedAs(io)} ${subcommand}${keyFile === undefined ? "" : ` --key-file ${shellWord(keyFile)}`}`,
    me: async () => readAs(identity, await api.get("/identities/me")).id,
  };
}

/** The command that started this program, because in a clone `jit` is not on the path. */
function startedAs({ environment }: CliIo): string {
  if (environment["npm_command"] === "exec") return "npx jit";
  return environment["npm_lifecycle_event"] === "jit" ? "npm run jit --" : "jit";
}

/** Formats a line for standard error. */
export function noteLine(text: string): string {
  return `jit: ${safeNote(text)}\n`;
}

/** The unchanged JSON. On a terminal control characters are escaped, which keeps its meaning. */
export function formatJson(text: string, { isTerminal }: Pick<CliIo, "isTerminal">): string {
  const json = isTerminal ? safeJson(text) : text;
  return json.endsWith("\n") ? json : `${json}\n`;
}
