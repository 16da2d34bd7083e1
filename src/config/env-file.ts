import { lstatSync } from "node:fs";
import { readTextFile } from "./text-file.ts";

/** Read in the working directory when it is there. */
const envFile = ".env";

/**
 * Adds what the file `.env` sets to the environment; what is set already wins over it. Returns lines for the operator; with
 * any of them nothing was added.
 */
export function loadEnvFile(environment: Record<string, string | undefined>): readonly string[] {
  // A link whose file is missing is there: without its settings the service would be another one.
  if (lstatSync(envFile, { throwIfNoEntry: false }) === undefined) return [];
  const found = readTextFile(envFile);
  if ("problem" in found) return [`${envFile} ${found.problem}.`];
  const read = parseEnv(found.text);
  if ("problems" in read) return read.problems.map(({ line, message }) => `${envFile}:${line} ${message}.`);
  for (const [name, value] of read.ok) environment[name] ??= value;
  return [];
}

export interface EnvProblem {
  /** From 1. */
  readonly line: number;
  /** Never holds a value: it may be a secret. */
  readonly message: string;
}

const quotes = ['"', "'", "`"];

/**
 * Reads lines `NAME=value` with the meaning Node gives them: `export` before the name, comments, and values in quotes, which
 * may go over several lines. What Node would skip, cut or overwrite without a word is a problem here.
 */
export function parseEnv(
  text: string,
): { readonly ok: ReadonlyMap<string, string> } | { readonly problems: readonly EnvProblem[] } {
  const lines = text.split("\n");
  const values = new Map<string, string>();
  const setIn = new Map<string, number>();
  const problems: EnvProblem[] = [];
  for (let index = 0; index < lines.length; index++) {
    const line = index + 1;
    const content = (lines[index] ?? "").trim();
    if (content === "" || content.startsWith("#")) continue;
    const [, name, written = ""] = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)$/.exec(content) ?? [];
    if (name === undefined) {
      problems.push({ line, message: "is not of the form NAME=value; a comment begins with #" });
      continue;
    }
    const value = quotes.includes(written.charAt(0))
      ? quoted([written, ...lines.slice(index + 1)])
      : unquoted(written);
    if ("problem" in value) {
      problems.push({ line, message: `${name} ${value.problem}` });
      // Where such a value ends is not known, so what follows it would be complained about for nothing.
      if (value.isOpen) break;
      continue;
    }
    index += value.furtherLines;
    const before = setIn.get(name);
    if (before !== undefined) {
      problems.push({ line, message: `${name} was set in line ${before} already; keep one of the two` });
    }
    setIn.set(name, line);
    values.set(name, value.text);
  }
  return problems.length === 0 ? { ok: values } : { problems };
}

type Value =
  | { readonly text: string; readonly furtherLines: number }
  | { readonly problem: string; readonly isOpen: boolean };

function unquoted(written: string): Value {
  const text = written.replace(/(^|\s+)#.*$/, "");
  return text.includes("#")
    ? { problem: "has a # in its value, where a comment could begin: put the value in quotes", isOpen: false }
    : { text, furtherLines: 0 };
}

/** The first line begins with the quote; the value may end in a later one. */
function quoted(lines: readonly string[]): Value {
  const text = lines.join("\n");
  const quote = text.charAt(0);
  const end = text.indexOf(quote, 1);
  if (end === -1) return { problem: `begins with ${quote}, which is never closed`, isOpen: true };
  const inside = text.slice(1, end);
  const [behind = ""] = text.slice(end + 1).split("\n");
  if (!/^\s*(#.*)?$/.test(behind)) {
    const problem = `has text behind its closing ${quote}; use another kind of quote around it`;
    return { problem, isOpen: false };
  }
  return {
    text: quote === '"' ? inside.replaceAll(String.raw`\n`, "\n") : inside,
    furtherLines: inside.split("\n").length - 1,
  };
}
