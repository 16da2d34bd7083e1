import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";
import { fakeService, me, shown } from "../support/fake-service.ts";
import { jit, launcher, someKey } from "../support/run-jit.ts";

leavesNothingBehind();

const ask = ["ask", "read:db:a", "--for", "1h", "--reason", "why"];
const asked = () => fakeService({ body: me }, { status: 201, body: shown({ status: "PENDING" }) });
/** The command at the end of a note. */
const hintIn = (err: string): string => / To wait for it: (.+)\n$/.exec(err)?.[1] ?? "";

test.each([
  [{}, "jit"],
  [{ npm_command: "exec", npm_lifecycle_event: "npx" }, "npx jit"],
  [{ npm_command: "run-script", npm_lifecycle_event: "jit" }, "npm run jit --"],
  [{ npm_command: "run-script", npm_lifecycle_event: "deploy" }, "jit"],
])("a hint begins with the command that its reader used: %j", async (environment, start) => {
  const { url } = await asked();
  const { err } = await jit(ask, { url, environment });
  expect(hintIn(err)).toBe(`${start} wait jit_one`);
});

test("a hint pasted into a shell names the key file correctly, whatever its name", async () => {
  const keyFile = join(temporaryFolder(), "it's a key");
  writeFileSync(keyFile, `${someKey}\n`);
  const { url } = await asked();
  const { err } = await jit([...ask, "--key-file", keyFile], { url, key: "" });
  const script = `jit() { '${process.execPath}' '${launcher}' "$@"; }; ${hintIn(err).replace("wait", "status")}`;
  const shell = spawnSync("bash", ["-c", script], {
    encoding: "utf8",
    // No service runs there, so the only visible effect is that the key was found.
    env: { PATH: process.env["PATH"], JIT_URL: "http://127.0.0.1:9" },
    timeout: 20_000,
  });
  expect(shell.stderr).not.toContain("no_key");
  expect(shell.stderr).toContain("(unreachable)");
}, 40_000);
