import { execFileSync } from "node:child_process";
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { fakeService } from "../support/fake-service.ts";
import { jit } from "../support/run-jit.ts";

leavesNothingBehind();

const log = '{"seq":1}\n';
const exported = async (file: string) => {
  const { url, received } = await fakeService({ body: log });
  return { ...(await jit(["audit", "export", "--out", file], { url })), heard: received };
};

describe("audit export --out never replaces anything but a file, and fetches nothing for it:", () => {
  test.each([
    [
      "a pipe",
      (file: string) => void execFileSync("sh", ["-c", `mkfifo "$0"`, file]),
      "redirect standard output",
    ],
    [
      "a link to a pipe",
      (file: string) => {
        execFileSync("sh", ["-c", `mkfifo "$0"`, `${file}.pipe`]);
        symlinkSync(`${file}.pipe`, file);
      },
      "redirect standard output",
    ],
    ["a folder", (file: string) => mkdirSync(file), "is a folder"],
    ["a link to nothing", (file: string) => symlinkSync(`${file}.none`, file), "is a link"],
  ])("%s", async (_, make, said) => {
    const folder = temporaryFolder();
    const file = join(folder, "audit.jsonl");
    make(file);
    const before = readdirSync(folder);
    const { ino, mode } = lstatSync(file);
    const { code, out, err, heard: received } = await exported(file);
    expect({ code, out, heard: received }).toEqual({ code: 2, out: "", heard: [] });
    expect(err).toMatch(/^jit: [^\n]+ \(usage\)\n$/);
    expect(err).toContain(said);
    expect(lstatSync(file)).toMatchObject({ ino, mode });
    expect(readdirSync(folder)).toEqual(before);
  });
});

test("audit export --out writes through a link to a file, and the link stays one", async () => {
  const folder = temporaryFolder();
  const [file, link] = [join(folder, "audit.jsonl"), join(folder, "latest")];
  writeFileSync(file, "older\n");
  symlinkSync("audit.jsonl", link);
  const { code, err } = await exported(link);
  expect({ code, err }).toEqual({ code: 0, err: `jit: Written to ${link}.\n` });
  expect(readFileSync(file, "utf8")).toBe(log);
  expect(lstatSync(link).isSymbolicLink()).toBe(true);
  expect(readdirSync(folder).toSorted()).toEqual(["audit.jsonl", "latest"]);
});

test("audit export --out replaces an older file", async () => {
  const file = join(temporaryFolder(), "audit.jsonl");
  writeFileSync(file, "older\n");
  expect((await exported(file)).code).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(log);
});
