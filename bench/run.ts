import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./part.ts";
import { parts } from "./parts/parts.ts";
import { report, tableOf } from "./report.ts";

const results = join(import.meta.dirname, "RESULTS.md");

/**
 * `npm run bench` measures every part and writes RESULTS.md; `npm run bench -- introspect sweep` only measures and prints
 * these parts. Each part runs in its own process, so that none inherits another's memory or compiled code.
 */
async function run(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in parts));
  if (unknown.length > 0) {
    process.stderr.write(`There are: ${Object.keys(parts).join(", ")}; not: ${unknown.join(", ")}.\n`);
    process.exitCode = 1;
    return;
  }
  const rows: Row[] = [];
  for (const name of names.length === 0 ? Object.keys(parts) : names) {
    process.stderr.write(`${name} …\n`);
    const found = await rowsOf(name);
    process.stdout.write(`${tableOf(found)}\n`);
    rows.push(...found);
  }
  if (names.length === 0)
    writeFileSync(results, report(rows, existsSync(results) ? readFileSync(results, "utf8") : ""));
}

async function rowsOf(name: string): Promise<readonly Row[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "run-part.ts"), name], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  const code = await new Promise((ended) => {
    child.once("close", ended);
  });
  if (code !== 0) throw new Error(`the part ${name} failed`);
  return JSON.parse(out.trimEnd().split("\n").at(-1) ?? "");
}

await run(process.argv.slice(2));
