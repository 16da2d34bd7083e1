import { lstatSync } from "node:fs";
import { readTextFile } from "./text-file.ts";

/** Read from the working directory, if it exists. */
const envFile = ".env";

/**
 * Adds the variables of the file `.env` to the environment, without replacing variables that are set. Returns problems as
 * lines for the operator; if there are any, nothing was added.
 */
export function loadEnvFile(environment: Record<string, string | undefined>): readonly string[] {
  // A dangling link is a problem: without its settings the service would run with different ones.
  if (lstatSync(envFile, { throwIfNoEntry: false }) === undefined) return [];
  const found = readTextFile(envFile);
  if ("problem" in found) return [`${envFile} ${found.problem}.`];
  const read = parseEnv(found.text);
  if ("problems" in read) return read.problems.map(({ line, message }) => `${envFile}:${line} ${message}.`);
  for (const [name, value] of read.ok) environment[name] ??= value;
  return [];
}

export interface EnvProblem {
  /** Counted from 1. */
  readonly line: number;
  /** Never quotes a value, because it may be a secret. */
  readonly message: string;
}

const quotes = ['"', "'", "`"];

/**
 * Reads lines `NAME=value` as Node does: with `export` before the name, comments, and quoted values of several lines.
 * Whatever Node would silently skip, cut or overwrite is a problem here.
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
      // The end of such a value is unknown, so problems after it would be meaningless.
      if (value.isOpen) break;
      continue;
    }
    index += value.extraLines;
    const firstLine = setIn.get(name);
    if (firstLine !== undefined) {
      problems.push({ line, message: `${name} was already set in line ${firstLine}; keep one of the two` });
    }
    setIn.set(name, line);
    values.set(name, value.text);
  }
  return problems.length === 0 ? { ok: values } : { problems };
}

type Value =
  | { readonly text: string; readonly extraLines: number }
  | { readonly problem: string; readonly isOpen: boolean };

function unquoted(written: string): Value {
  const text = written.replace(/(^|\s+)#.*$/, "");
  return text.includes("#")
    ? { problem: "has a # in its value, where a comment could begin: put the value in quotes", isOpen: false }
    : { text, extraLines: 0 };
}

/** Reads a value whose first line begins with a quote. It may end in a later line. */
function quoted(lines: readonly string[]): Value {
  const text = lines.join("\n");
  const quote = text.charAt(0);
  const end = text.indexOf(quote, 1);
  if (end === -1) return { problem: `begins with ${quote}, which is never closed`, isOpen: true };
  const inside = text.slice(1, end);
  const [trailing = ""] = text.slice(end + 1).split("\n");
  if (!/^\s*(#.*)?$/.test(trailing)) {
    const problem = `has text after its closing ${quote}; use another kind of quote around it`;
    return { problem, isOpen: false };
  }
  return {
    text: quote === '"' ? inside.replaceAll(String.raw`\n`, "\n") : inside,
    extraLines: inside.split("\n").length - 1,
  };
}
