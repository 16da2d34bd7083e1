import { spawn } from "node:child_process";
import { readFileSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { beforeAll, describe, expect, test } from "vitest";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { fencesOf, printedAs } from "../support/markdown.ts";
import { sharedProgram } from "../support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");

/** Runs the program as a newcomer does: without a configuration, with only a free port set. */
const service = sharedProgram();
const bin = temporaryFolder();
symlinkSync(join(root, "src/cli/jit.mjs"), join(bin, "jit"));

/** `npm run` needs the clone in the folder that the service keeps its data in. */
beforeAll(() => {
  for (const name of ["package.json", ".npmrc", "src", "node_modules"]) {
    symlinkSync(join(root, name), join(service().folder, name));
  }
});

const walks = [
  { path: "README.md", atLeast: 6 },
  { path: "docs/tutorial-cli.md", atLeast: 9 },
  { path: "docs/tutorial-api.md", atLeast: 11 },
  { path: "docs/checking.md", atLeast: 3 },
  { path: "docs/audit.md", atLeast: 1 },
];

/** A block marked `bash walk` is run, and the next block is its expected output, where `…` matches anything. */
describe.each(walks)("the walk in $path", ({ path, atLeast }) => {
  const fences = fencesOf(readFileSync(join(root, path), "utf8"));
  const stops = fences.flatMap(({ info, content }, index) =>
    info === "bash walk" ? [{ commands: content, next: fences[index + 1] }] : [],
  );

  test("works as printed, pasted block by block", async () => {
    expect(stops.length).toBeGreaterThanOrEqual(atLeast);
    const outputs = await pasted(stops.map((stop) => stop.commands));
    for (const [index, { commands, next }] of stops.entries()) {
      const output = outputs[index] ?? "";
      if (next?.info === "json") {
        expect({ commands, answer: answerOf(output) }).toEqual({ commands, answer: like(next.content) });
      } else {
        const printed = next?.info === "text" ? printedAs(next.content) : /^$/;
        expect({ commands, output }).toEqual({ commands, output: expect.stringMatching(printed) });
      }
    }
  });
});

/** The output of each block, including errors. All run in one bash with `jit` on its path. */
async function pasted(blocks: readonly string[]): Promise<readonly string[]> {
  const end = "\u001E";
  const script = `exec 2>&1\n${blocks.map((block) => `${block}printf '${end}'\n`).join("")}`;
  const bash = spawn("bash", ["-u"], {
    cwd: service().folder,
    env: {
      PATH: [bin, dirname(process.execPath), process.env["PATH"] ?? ""].join(":"),
      HOME: bin,
      JIT_URL: service().address,
    },
  });
  bash.stdin.end(script.replaceAll("http://127.0.0.1:3000", service().address));
  return (await text(bash.stdout)).split(end).slice(0, -1);
}

function answerOf(output: string): unknown {
  return output.startsWith("{") ? JSON.parse(output) : output;
}

/** Whether a response has the fields of the page, which omits some at any depth. */
function like(printed: string): unknown {
  const pattern = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(pattern);
    if (typeof value === "string" && value.includes("…")) return expect.stringMatching(printedAs(value));
    if (typeof value !== "object" || value === null) return value;
    const fields = Object.entries(value).map(([name, inner]) => [name, pattern(inner)]);
    return expect.objectContaining(Object.fromEntries(fields));
  };
  return pattern(JSON.parse(printed));
}
