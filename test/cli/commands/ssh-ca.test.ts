import { linkSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { readSshCaKey } from "../../../src/connectors/ssh/ca-key.ts";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { caKeyText } from "../../connectors/support/ssh-keys.ts";
import { hasKeygen, keygen } from "../../connectors/support/ssh-harness.ts";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { jit } from "../support/run-jit.ts";

leavesNothingBehind();

let folder: string;
let ca: string;
beforeEach(() => {
  folder = temporaryFolder();
  ca = join(folder, "ssh-ca");
  writeFileSync(ca, caKeyText(), { mode: 0o600 });
});

const lineOf = (file: string): string =>
  assertPresent(readSshCaKey(readFileSync(file, "utf8")), "a key the service can use").publicLine;

test("a CA key is replaced in two steps: nothing is signed with it before hosts can trust it", async () => {
  const before = readFileSync(ca, "utf8");
  const prepared = await jit(["ssh-ca", "prepare", ca]);
  expect(prepared).toMatchObject({ code: 0, err: "" });
  expect(readFileSync(ca, "utf8")).toBe(before);
  const next = lineOf(`${ca}.next`);
  expect(prepared.out).toContain(`\n${next} jit-access\n`);
  expect(prepared.out).toContain(`jit ssh-ca activate ${ca}\n`);
  expect(readFileSync(`${ca}.next.pub`, "utf8")).toBe(`${next} jit-access\n`);
  expect(statSync(`${ca}.next`).mode & 0o777).toBe(0o600);

  const activated = await jit(["ssh-ca", "activate", ca]);
  expect(activated).toMatchObject({ code: 0, err: "" });
  expect(lineOf(ca)).toBe(next);
  expect(statSync(ca).mode & 0o777).toBe(0o600);
  expect(readFileSync(`${ca}.previous`, "utf8")).toBe(before);
  expect(readdirSync(folder).toSorted()).toEqual(["ssh-ca", "ssh-ca.previous", "ssh-ca.pub"]);
});

test("neither step overwrites a key, and each says what to do instead", async () => {
  expect(await jit(["ssh-ca", "activate", ca])).toMatchObject({
    code: 2,
    err: expect.stringContaining(`make it with jit ssh-ca prepare ${ca}`),
  });
  await jit(["ssh-ca", "prepare", ca]);
  const next = readFileSync(`${ca}.next`, "utf8");
  expect(await jit(["ssh-ca", "prepare", ca])).toMatchObject({
    code: 2,
    err: expect.stringContaining("is there already: activate it, or remove it"),
  });
  expect(readFileSync(`${ca}.next`, "utf8")).toBe(next);
  writeFileSync(`${ca}.previous`, "kept");
  const before = readFileSync(ca, "utf8");
  expect(await jit(["ssh-ca", "activate", ca])).toMatchObject({
    code: 2,
    err: expect.stringContaining("is there from an earlier replacement"),
  });
  expect([ca, `${ca}.previous`].map((file) => readFileSync(file, "utf8"))).toEqual([before, "kept"]);
});

test("an interrupted replacement is completed by the next run", async () => {
  await jit(["ssh-ca", "prepare", ca]);
  const next = lineOf(`${ca}.next`);
  linkSync(ca, `${ca}.previous`);
  expect(await jit(["ssh-ca", "activate", ca])).toMatchObject({ code: 0 });
  expect(lineOf(ca)).toBe(next);
});

test("a file that is no prepared key is not put in place", async () => {
  writeFileSync(`${ca}.next`, "half a key");
  const before = readFileSync(ca, "utf8");
  expect(await jit(["ssh-ca", "activate", ca])).toMatchObject({ code: 2 });
  expect(readFileSync(ca, "utf8")).toBe(before);
});

test.skipIf(!hasKeygen())(
  "OpenSSH reads the key that is made (skipped where ssh-keygen is missing)",
  async () => {
    await jit(["ssh-ca", "prepare", ca]);
    const { status, output } = keygen("-y", "-P", "", "-f", `${ca}.next`);
    expect({ status, output }).toEqual({ status: 0, output: readFileSync(`${ca}.next.pub`, "utf8") });
  },
);
