import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The only file that may hold a secret of ours: the operator's copy of the built-in key. */
const keyFile = "admin-key";
/** The random part of a token with its checksum, which must not occur with or without its prefix. */
const tailLength = 36;

/** Places that hold any of these tokens: files below the folder, and further texts by name. */
export function secretsFound(
  folder: string,
  tokens: ReadonlySet<string>,
  texts: Readonly<Record<string, string>> = {},
): readonly string[] {
  const tails = new Set([...tokens].map((token) => token.slice(-tailLength)));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile() && !name.endsWith(keyFile))
    .map((name) => [name, readFileSync(join(folder, name), "latin1")] as const);
  return [...files, ...Object.entries(texts)].flatMap(([name, text]) =>
    holdsAny(text, tails) ? [name] : [],
  );
}

function holdsAny(text: string, tails: ReadonlySet<string>): boolean {
  for (const [run] of text.matchAll(/[0-9A-Za-z]{36,}/g)) {
    for (let at = 0; at + tailLength <= run.length; at++) {
      if (tails.has(run.slice(at, at + tailLength))) return true;
    }
  }
  return false;
}
