import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { launcher, startJit } from "./support/run-jit.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");
/** Makes Node report another version. */
const pretending = (what: string): readonly string[] => [
  "--import",
  `data:text/javascript,${encodeURIComponent(what)}`,
];
const oldNode = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.0" } });`;
const bundled = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);

describe("on a Node that cannot read TypeScript", () => {
  const flags = pretending(`${oldNode} Object.defineProperty(process, "execPath", { value: "/old/node" });`);

  test.runIf(existsSync(bundled))(
    "jit runs again on the Node that came with it, with all it was given",
    async () => {
      const { code, out } = await startJit(["policy", "check", "-", "--json"], {}, { flags, input: "{}" })
        .ended;
      expect({ code, out }).toEqual({ code: 0, out: '{"ok":true,"problems":[],"warnings":[]}\n' });
      expect((await startJit(["nonsense"], {}, { flags }).ended).code).toBe(2);
    },
  );

  test("without another one it says what to do", async () => {
    const elsewhere = pretending(
      `${oldNode} Object.defineProperty(process, "platform", { value: "sunos" });`,
    );
    const { code, out, err } = await startJit(["list"], {}, { flags: elsewhere }).ended;
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(/^jit: [^\n]+needs 22\.18 or newer[^\n]+\(usage\)\n$/);
  });
});

test("it starts through a link, from any folder", () => {
  const folder = mkdtempSync(join(tmpdir(), "jit-cli-"));
  try {
    const link = join(folder, "jit");
    symlinkSync(launcher, link);
    const path = `${resolve(process.execPath, "..")}:${process.env["PATH"] ?? ""}`;
    const { status, stdout } = spawnSync(link, ["--version"], {
      cwd: "/",
      env: { PATH: path },
      encoding: "utf8",
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a reader that closes the pipe ends it quietly", () => {
  const script = `'${process.execPath}' '${launcher}' help | head -c 1`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: "U", stderr: "" });
});

test("unwritable output is reported, also by the exit code", () => {
  const script = `'${process.execPath}' '${launcher}' help > /dev/full`;
  const { status, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({
    status: 70,
    stderr: expect.stringMatching(/^jit: The output could not be written \(ENOSPC\); .+ \(not_printed\)\n$/),
  });
});
