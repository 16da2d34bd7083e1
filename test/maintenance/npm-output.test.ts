import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync, copyFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");

/** npm with our settings, in a package whose one dependency wants another Node than there is. */
function npm(args: readonly string[], packageJson: object = {}) {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "below"));
  const below = { name: "below", version: "1.0.0", engines: { node: ">=999" } };
  writeFileSync(join(folder, "below/package.json"), JSON.stringify(below));
  const own = { name: "own", version: "1.0.0", dependencies: { below: "file:below" }, ...packageJson };
  writeFileSync(join(folder, "package.json"), JSON.stringify(own));
  copyFileSync(join(root, ".npmrc"), join(folder, ".npmrc"));
  const run = spawnSync("npm", [...args], {
    cwd: folder,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: folder },
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}

test("packages for another Node are installed without warnings", () => {
  expect(npm(["install", "--offline", "--no-audit"])).toMatchObject({ code: 0, err: "" });
});

test("a failure is still reported, with its exit code", () => {
  const missing = npm(["install", "--offline", "--no-audit"], {
    dependencies: { "no-such-package-of-ours": "1.0.0" },
  });
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining("npm error") });
  expect(npm(["run", "nothing"])).toMatchObject({ code: 1, err: expect.stringContaining("Missing script") });
  const script = npm(["run", "fail"], { scripts: { fail: "echo broken >&2; exit 3" } });
  expect(script).toMatchObject({ code: 3, err: expect.stringContaining("broken") });
});
