import { expect, test } from "vitest";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { readdirSync } from "node:fs";
import { runProgram } from "../support/program.ts";

leavesNothingBehind();

/** Simulates a Node whose Node-API is too old for the database driver. */
const older = `Object.defineProperty(process, "versions", { value: { ...process.versions, napi: "9" } })`;

test("on a Node that is too old the start says what to do, and nothing is written", async () => {
  const folder = temporaryFolder();
  const flags = ["--import", `data:text/javascript,${encodeURIComponent(older)}`];
  const ended = await runProgram({ folder, flags });
  expect(ended.code).toBe(1);
  expect(ended.out).toBe("");
  expect(ended.error).toMatch(/^jit-access needs Node 22\.18 or newer, and this is v\d+\./);
  expect(ended.error).toMatch(/npm ci/);
  expect(readdirSync(folder)).toEqual([]);
});
