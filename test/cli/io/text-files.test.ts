import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readSettings } from "../../../src/cli/io/settings.ts";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { jit, launcher, someKey } from "../support/run-jit.ts";

leavesNothingBehind();

const utf16 = (text: string): Uint8Array => Buffer.from(`\uFEFF${text}\r\n`, "utf16le");

function fileWith(bytes: string | Uint8Array): string {
  const file = join(temporaryFolder(), "file");
  writeFileSync(file, bytes);
  return file;
}

describe("a key file", () => {
  test.each([
    ["plain", `${someKey}\n`],
    ["with a byte order mark and Windows line ends", `\uFEFF${someKey}\r\n`],
    ["in UTF-16", utf16(someKey)],
  ])("%s gives its key", (_how, bytes) => {
    expect(readSettings({}, fileWith(bytes)).key).toBe(someKey);
  });

  test("that is no text is refused by name", () => {
    const file = fileWith(Buffer.from(someKey, "utf16le"));
    expect(() => readSettings({}, file)).toThrow(`The key file ${file} has a NUL byte in line 1`);
  });
});

describe("a configuration file to check", () => {
  test("is read in its encoding, by name or from standard input", async () => {
    const { code, out } = await jit(["policy", "check", fileWith(utf16("{}"))]);
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("is in order") });
    const piped = spawnSync(process.execPath, [launcher, "policy", "check", "-"], { input: utf16("{}") });
    expect({ code: piped.status, err: piped.stderr.toString() }).toEqual({ code: 0, err: "" });
  });

  test("that is no text is refused by name, from standard input too", async () => {
    const latin = Buffer.from("identities: []\n# \xe4\n", "latin1");
    const file = fileWith(latin);
    const named = await jit(["policy", "check", file]);
    expect(named).toMatchObject({
      code: 2,
      err: `jit: The file ${file} is not UTF-8 in line 2; save it as UTF-8. (usage)\n`,
    });
    const piped = spawnSync(process.execPath, [launcher, "policy", "check", "-"], { input: latin });
    expect(piped.status).toBe(2);
    expect(piped.stderr.toString()).toContain("Standard input is not UTF-8 in line 2");
  });
});

test("a public key for SSH is read in its encoding", async () => {
  const line = `ssh-ed25519 ${"AAAAC3NzaC1lZDI1NTE5AAAAI".padEnd(68, "A")} dev@laptop`;
  const { err } = await jit(["claim", "jit_a", "--ssh-key", fileWith(utf16(line))], {
    url: "http://127.0.0.1:9",
  });
  expect(err).not.toContain("is no public key");
  expect(err).toContain("(unreachable)");
});
