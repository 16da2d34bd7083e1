import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, manyCalls, staff } from "../../support/company-config.ts";
import { jit as requests, type Person } from "../../support/api-client.ts";
import { keepTrackOf, leavesNothingBehind } from "../../support/leftover-processes.ts";
import { pause, sharedProgram, until } from "../../support/program.ts";
import { launcher } from "../support/run-jit.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../../..");
const program = sharedProgram({
  config: {
    identities: staff,
    policies: [autoBelow("dev:"), askedBelow("db:", { stages: [{ approvers: ["group:dba"] }] })],
  },
  env: manyCalls,
});

/** Starts `jit run` as in a clone: npm starts a shell, which starts us. */
async function runThrough(
  [starter = "", ...before]: readonly string[],
  dev: Person,
  scope: string,
  stdin: "ignore" | "pipe" = "ignore",
) {
  const args = ["run", "--scope", scope, "--for", "1h", "--reason", "a job", "--"];
  const command = [process.execPath, "-e", "console.log('up', process.pid); setInterval(() => {}, 1000)"];
  const child = spawn(starter, [...before, ...args, ...command], {
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      JIT_URL: program().address,
      JIT_KEY: dev.key,
    },
    stdio: [stdin, "pipe", "pipe"],
  });
  keepTrackOf(child);
  const said = { out: "", err: "" };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => void (said.out += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => void (said.err += text));
  const statusOf = async (): Promise<string | undefined> => {
    const { body } = await dev.call("GET", `${requests}?scope=${scope}`);
    return body.data[0]?.status;
  };
  // Descendants of npm keep its outputs open while they run.
  const allEnded = new Promise((done) => child.once("close", done));
  return { child, said, statusOf, allEnded };
}

describe.each(["npx jit", "npm run --silent jit --"])("when the npm of %s is gone,", (line) => {
  const way = line.split(" ");
  // Only Linux shows ancestors beyond the parent.
  const signals = existsSync("/proc/self/stat")
    ? (["SIGTERM", "SIGHUP", "SIGKILL"] as const)
    : (["SIGTERM"] as const);

  test.each(signals)("by %s, a running command is stopped, and its access ends", async (signal) => {
    const dev = await program().person("dev");
    const { child, said, statusOf, allEnded } = await runThrough(way, dev, `read:dev:${way[0]}-${signal}`);
    await until(() => said.out.includes("up"));
    child.kill(signal);
    await allEnded;
    expect(await statusOf()).toBe("COMPLETED");
  });

  test("a pending request is withdrawn, and a later approval starts nothing", async () => {
    const dev = await program().person("dev");
    const { child, said, statusOf, allEnded } = await runThrough(way, dev, `read:db:${way[0]}`);
    await until(() => said.err.includes("waits for"));
    child.kill("SIGTERM");
    await allEnded;
    expect(await statusOf()).toBe("CANCELLED");
    expect(said.out).toBe("");
  });
});

test("without npm, the command may outlive its parent on purpose", async () => {
  const dev = await program().person("dev");
  const shell = ["sh", "-c", `'${process.execPath}' '${launcher}' "$@" & read -r line; exit`, "sh"];
  const { child, said, statusOf, allEnded } = await runThrough(shell, dev, "read:dev:left", "pipe");
  await until(() => said.out.includes("up"));
  child.stdin?.end("\n");
  await until(() => child.exitCode !== null);
  await pause(1_000);
  expect(await statusOf()).toBe("ACTIVE");
  process.kill(Number(/\d+/.exec(said.out)?.[0]), "SIGTERM");
  await allEnded;
  expect(await statusOf()).toBe("COMPLETED");
});
