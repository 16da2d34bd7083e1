import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Where alone a secret of ours may lie: the operator's own copy of the built-in key. */
const keyFile = "admin-key";

/** Places that hold any of these secrets: files below the folder, and further texts by name. */
export function secretsFound(
  folder: string,
  secrets: ReadonlySet<string>,
  texts: Readonly<Record<string, string>> = {},
): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile() && !name.endsWith(keyFile))
    .map((name) => [name, readFileSync(join(folder, name), "latin1")] as const);
  const places = [...files, ...Object.entries(texts)];
  return places.flatMap(([name, text]) =>
    [...secrets].some((secret) => text.includes(secret)) ? [name] : [],
  );
}
