import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { temporaryFolder } from "../support/leftover-processes.ts";

const source = resolve(import.meta.dirname, "../../src/app/observability/standard-output.ts");
const program = (code: string): readonly string[] => [
  "--input-type=module",
  "-e",
  `import { createStandardOutput } from ${JSON.stringify(source)};
  const write = createStandardOutput();
  ${code}`,
];

test.each([
  ["exits", "process.exit(70);", 70],
  ["throws", "throw new Error('no');", 1],
  ["is done", "", 0],
])("a process that %s in the same turn has written every line", (_, end, status) => {
  const lines = Array.from({ length: 50 }, (__, index) => `line ${index} ${"x".repeat(100)}\n`).join("");
  const code = `for (let index = 0; index < 50; index++) write("line " + index + " " + "x".repeat(100) + "\\n"); ${end}`;
  const ended = spawnSync(process.execPath, program(code), { encoding: "utf8" });
  expect([ended.status, ended.stdout === lines]).toEqual([status, true]);
});

test("a process writes every line to a file before it exits", () => {
  const path = join(temporaryFolder(), "log");
  const file = openSync(path, "w");
  const code = `for (let index = 0; index < 5000; index++) write("x".repeat(100) + "\\n"); process.exit(70);`;
  const ended = spawnSync(process.execPath, program(code), { stdio: ["ignore", file, "inherit"] });
  closeSync(file);
  expect([ended.status, statSync(path).size]).toEqual([70, 5000 * 101]);
});

test("a process goes on while its log reader stands still, and keeps little of what it could not write", async () => {
  const code = `for (let index = 0; index < 200; index++) write("x".repeat(1_000_000) + "\\n");
  process.exit(process.memoryUsage().rss < 150_000_000 ? 7 : 1);`;
  // Nobody reads the pipe, so it is full after 64 KB.
  const child = spawn(process.execPath, program(code), { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  expect(await once(child, "exit")).toEqual([7, null]);
});

test("a process goes on after its log reader went away", async () => {
  const code = `write("one\\n"); process.stdin.once("data", () => { write("two\\n"); write("three\\n"); process.exit(7); });`;
  const child = spawn(process.execPath, program(code), { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [first] = await once(child.stdout, "data");
  expect(String(first)).toBe("one\n");
  child.stdout.destroy();
  child.stdin.write("go\n");
  expect(await once(child, "exit")).toEqual([7, null]);
});

test("a process goes on while the disk of its log is full, and keeps little of what it could not write", () => {
  const full = openSync("/dev/full", "w");
  const code = `for (let index = 0; index < 200; index++) write("x".repeat(1_000_000) + "\\n");
  process.exit(process.memoryUsage().rss < 150_000_000 ? 7 : 1);`;
  const ended = spawnSync(process.execPath, program(code), { stdio: ["ignore", full, "inherit"] });
  closeSync(full);
  expect(ended.status).toBe(7);
});
