import type { Command } from "commander";
import { identity, readAs } from "./api-schemas.ts";
import { createApi, type Api } from "./api-client.ts";
import type { Answer } from "./http-calls.ts";
import type { CliIo } from "../io/cli-io.ts";
import { safeJson, safeNote } from "../io/safe-text.ts";
import { readSettings } from "../io/settings.ts";
import { shellWord } from "../io/shell-word.ts";

/** What a command works with: the service, and where its words go. */
export interface Session {
  readonly api: Api;
  readonly io: CliIo;
  /** The answer untouched with `--json`, else what `human` makes of it; to standard output. */
  show(answer: Pick<Answer, "text">, human: () => string): Promise<void>;
  /** One line for a person, to standard error. */
  note(text: string): void;
  /** A command line of ours as it can be pasted: as we were started, and with the key file that was named. */
  readonly command: (words: string) => string;
  /** The id of whoever the key belongs to. */
  me(): Promise<string>;
}

/** What all commands share. */
export interface Cli {
  readonly io: CliIo;
  /** @throws Failure when there is no key, or a setting is wrong. */
  open(command: Command): Session;
  /** How the run ends when nothing fails. */
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
    command: (words) =>
      `${startedAs(io)} ${words}${keyFile === undefined ? "" : ` --key-file ${shellWord(keyFile)}`}`,
    me: async () => readAs(identity, await api.get("/identities/me")).id,
  };
}

/** How whoever reads this has started us: in a folder of the clone there is no `jit` on the path. */
function startedAs({ environment }: CliIo): string {
  if (environment["npm_command"] === "exec") return "npx jit";
  return environment["npm_lifecycle_event"] === "jit" ? "npm run jit --" : "jit";
}

/** A line of ours on standard error. */
export function noteLine(text: string): string {
  return `jit: ${safeNote(text)}\n`;
}

/** JSON as it came; on a terminal with the same meaning, but unable to steer it. */
export function formatJson(text: string, { isTerminal }: Pick<CliIo, "isTerminal">): string {
  const shown = isTerminal ? safeJson(text) : text;
  return shown.endsWith("\n") ? shown : `${shown}\n`;
}
