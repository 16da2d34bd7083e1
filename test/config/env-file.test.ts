import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv as parseLikeNode } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadEnvFile, parseEnv } from "../../src/config/env-file.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";

leavesNothingBehind();

const read = (text: string): unknown => {
  const parsed = parseEnv(text);
  return "ok" in parsed ? Object.fromEntries(parsed.ok) : parsed.problems;
};

describe("a file means the same as for Node:", () => {
  test.each([
    "A=1\nB = two words \nC=",
    "# comment\n\n  A=1 # comment\nB=#comment",
    "export A=1\nexport  B=2",
    `A="a # b"\nB='c'\nC=\`d "e" 'f'\`\nD="g\\nh"\nE='i\\nj'`,
    'A="one\ntwo"\nB=3',
    "A='one\n# no comment\n' # comment\nB=3",
    "A=\"\" # comment\nB=''",
    "A=a=b\nB=x y\nC=it's",
    "A=$B ${C}\\n",
  ])("%j", (text) => {
    expect(read(text)).toEqual({ ...parseLikeNode(text) });
  });
});

test("a tab after export counts as a space", () => {
  expect(read("export\tA=1")).toEqual({ A: "1" });
});

describe("anything Node would skip, cut or overwrite is a problem with line and name and without the value:", () => {
  test.each([
    ["A=1\nHOST: 0.0.0.0", [{ line: 2, message: "is not of the form NAME=value; a comment begins with #" }]],
    ["A=1\nsecret", [{ line: 2, message: expect.stringContaining("NAME=value") }]],
    ["A B=1", [{ line: 1, message: expect.stringContaining("NAME=value") }]],
    ["\u200BA=1", [{ line: 1, message: expect.stringContaining("NAME=value") }]],
    ["export A", [{ line: 1, message: expect.stringContaining("NAME=value") }]],
    ["PASSWORD=ab#cd", [{ line: 1, message: expect.stringMatching(/^PASSWORD has a # in its value/) }]],
    ["A=1\nB=2\nA=3", [{ line: 3, message: "A was already set in line 1; keep one of the two" }]],
    [`A="abc\nB=2`, [{ line: 1, message: `A begins with ", which is never closed` }]],
    [`A="a" b`, [{ line: 1, message: expect.stringMatching(/^A has text after its closing "/) }]],
    [`A='it's'`, [{ line: 1, message: expect.stringMatching(/^A has text after its closing '/) }]],
    [
      `A="one\ntwo"\nB: 3\nC: 4`,
      [
        { line: 3, message: expect.any(String) },
        { line: 4, message: expect.any(String) },
      ],
    ],
  ])("%j", (text, problems) => {
    expect(read(text)).toEqual(problems);
    expect(JSON.stringify(read(text))).not.toMatch(/secret|ab#cd|0\.0\.0\.0/);
  });
});

describe("the file .env", () => {
  const before = process.cwd();
  let folder = "";
  beforeEach(() => {
    folder = temporaryFolder();
    process.chdir(folder);
  });
  afterEach(() => process.chdir(before));
  const load = (bytes: string | Uint8Array, environment: Record<string, string | undefined> = {}) => {
    writeFileSync(join(folder, ".env"), bytes);
    return { problems: loadEnvFile(environment), environment };
  };

  test.each([
    ["with a byte order mark", Buffer.from("\uFEFFPORT=4000\nHOST=::1\n")],
    ["with Windows line ends", Buffer.from("PORT=4000\r\nHOST=::1\r\n")],
    ["as PowerShell writes it", Buffer.from("\uFEFFPORT=4000\r\nHOST=::1\r\n", "utf16le")],
  ])("%s loses nothing", (_how, bytes) => {
    expect(load(bytes)).toEqual({ problems: [], environment: { PORT: "4000", HOST: "::1" } });
  });

  test("that is no text is refused by name, and nothing of it is used", () => {
    expect(load(Buffer.from("PORT=4000\nNAME=\xe4\n", "latin1"))).toEqual({
      problems: [".env is not UTF-8 in line 2; save it as UTF-8."],
      environment: {},
    });
    expect(load("PORT=4000\nHOST\n")).toEqual({
      problems: [".env:2 is not of the form NAME=value; a comment begins with #."],
      environment: {},
    });
  });

  test("sets only what is not set already", () => {
    expect(load("PORT=1\nHOST=2\nLOG_LEVEL=3", { PORT: "9", HOST: "" }).environment).toEqual({
      PORT: "9",
      HOST: "",
      LOG_LEVEL: "3",
    });
  });

  test("may be missing; a dangling link is a problem", () => {
    expect(loadEnvFile({})).toEqual([]);
    symlinkSync(join(folder, "not-there"), join(folder, ".env"));
    expect(loadEnvFile({})).toEqual([expect.stringMatching(/^\.env cannot be read: /)]);
  });
});
