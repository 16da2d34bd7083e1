import { execFileSync, spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "vitest";
import { writePerTick } from "../../src/app/process/write-per-tick.ts";

const source = resolve(import.meta.dirname, "../../src/app/process/write-per-tick.ts");
const program = (end: string): string => `
  import { writePerTick } from ${JSON.stringify(source)};
  const write = writePerTick((text) => process.stdout.write(text));
  write("one\\n");
  write("two\\n");
  ${end}`;

test("lines of one turn are written at once, in order, and none twice", async () => {
  const written: string[] = [];
  const write = writePerTick((text) => written.push(text));
  write("a\n");
  write("b\n");
  expect(written).toEqual([]);
  await nextTurn();
  write("c\n");
  await nextTurn();
  await nextTurn();
  expect(written).toEqual(["a\nb\n", "c\n"]);
});

test("a process that ends in the same turn has written them", () => {
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", program("process.exit(70);")]);
  expect([ended.status, ended.stdout.toString()]).toEqual([70, "one\ntwo\n"]);
});

test("a process that fails has written them, and one that has nothing left to do as well", () => {
  const failed = spawnSync(process.execPath, [
    "--input-type=module",
    "-e",
    program("throw new Error('no');"),
  ]);
  expect([failed.status, failed.stdout.toString()]).toEqual([1, "one\ntwo\n"]);
  expect(execFileSync(process.execPath, ["--input-type=module", "-e", program("")]).toString()).toBe(
    "one\ntwo\n",
  );
});
