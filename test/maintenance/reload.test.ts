import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { z } from "zod";
import { autoBelow, noSweep, staff } from "../support/company-config.ts";
import { keepTrackOf, leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { startProgram, type Program } from "../support/program.ts";
import { maintain } from "./support/maintenance.ts";

leavesNothingBehind();

const config = { identities: staff, policies: [autoBelow("auto:")] };
const bad = ["identities: []", "policies:", "  - name: wide open", "    autoApprove: true", ""].join("\n");

async function gauge({ address }: Program, name: string): Promise<number> {
  const metrics = await (await fetch(`${address}/metrics`)).text();
  return Number(new RegExp(`^${name} (.+)$`, "m").exec(metrics)?.[1]);
}

async function configCheck({ address }: Program) {
  const answer = await fetch(`${address}/readyz`);
  const { checks } = z
    .object({ checks: z.object({ config: z.object({ detail: z.string() }).loose() }) })
    .parse(await answer.json());

  return { http: answer.status, ...checks.config };
}

const recordsOf = async (program: Program, action: string) =>
  (await program.admin.call("GET", `/api/v1/audit?action=${action}`)).body.data;

test("npm run reload exits 0 when the file is loaded, and 1 with the problems when it is not", async () => {
  const program = await startProgram({ config, env: noSweep });
  const reload = async () => maintain(program.folder, ["reload"]);
  expect(await gauge(program, "jit_config_reload_failed")).toBe(0);
  const loadedAt = await gauge(program, "jit_config_reload_time_seconds");
  expect(loadedAt).toBeGreaterThan(1_600_000_000);
  expect(await configCheck(program)).toMatchObject({ http: 200, ok: true });

  program.configure({ ...config, policies: [] });
  expect(await reload()).toMatchObject({ code: 0, out: "reloaded  jit.yaml\nchanged   1\n", error: "" });
  const changedAt = await gauge(program, "jit_config_reload_time_seconds");
  expect(changedAt).toBeGreaterThan(loadedAt);

  program.configure(bad);
  const refused = await reload();
  expect(refused).toMatchObject({ code: 1, out: "" });
  const problem = /jit\.yaml:3:\d+ policies\.0(\.conditions)?: .+/;
  expect(refused.error).toMatch(/^Not reloaded\.\n {2}jit\.yaml:3:\d+ policies\.0/);
  expect(await gauge(program, "jit_config_reload_failed")).toBe(1);
  expect(await gauge(program, "jit_config_reload_time_seconds")).toBe(changedAt);
  const check = await configCheck(program);
  expect(check).toMatchObject({ http: 200, ok: false, advisory: true });
  expect(check.detail).toContain("refused with 1 problem");
  expect(await recordsOf(program, "config.refused")).toMatchObject([
    {
      actor: { type: "system", id: "configuration", via: "system" },
      data: { file: "jit.yaml", count: 1, problems: [expect.stringMatching(problem)] },
    },
  ]);

  program.configure(config);
  expect((await reload()).code).toBe(0);
  expect(await gauge(program, "jit_config_reload_failed")).toBe(0);
  expect(await configCheck(program)).toMatchObject({ http: 200, ok: true });
  await program.stop({ expectedErrors: 1 });
});

test("a rejected SIGHUP shows in the metrics, at /readyz and in the audit log, without the token of the file", async () => {
  const program = await startProgram({ config, env: noSweep });
  const token = "kd_jit_0123456789abcdefghijABCDEFGHIJ3pQXZz";
  program.configure({ ...config, [token]: 1 });
  program.hup();
  const said = await program.logged("reload rejected, configuration unchanged");
  while ((await recordsOf(program, "config.refused")).length === 0);
  expect(await gauge(program, "jit_config_reload_failed")).toBe(1);
  expect(await configCheck(program)).toMatchObject({ http: 200, ok: false });
  const [record] = await recordsOf(program, "config.refused");
  expect(JSON.stringify([said, record])).not.toContain(token);
  await program.stop({ expectedErrors: 1 });
});

test("two simultaneous reloads both return the content of the file", async () => {
  const program = await startProgram({ config, env: noSweep });
  program.configure(bad);
  program.hup();
  const answers = await Promise.all([
    maintain(program.folder, ["reload"]),
    maintain(program.folder, ["reload"]),
  ]);
  expect(answers.map(({ code }) => code)).toEqual([1, 1]);
  const refused = program.log.filter(({ level }) => level === "error").length;
  await program.stop({ expectedErrors: refused });
});

test("without a service, and after a killed one, it says that there is nothing to reload", async () => {
  const folder = temporaryFolder();
  expect(await maintain(folder, ["reload"])).toMatchObject({
    code: 1,
    out: "",
    error: `Not reloaded: no service runs on ${join(folder, "data")}. Check DATABASE_URL, and start the service.\n`,
  });
  const program = await startProgram({ config, env: noSweep });
  await program.kill();
  expect((await maintain(program.folder, ["reload"])).error).toContain("no service runs on");
  const again = await startProgram({ folder: program.folder, env: noSweep });
  expect((await maintain(again.folder, ["reload"])).code).toBe(0);
  await again.stop();
});

test("as documented, through npm", async () => {
  const program = await startProgram({ config, env: noSweep });
  program.configure(bad);
  const child = spawn("npm", ["run", "--silent", "reload"], {
    cwd: resolve(import.meta.dirname, "../.."),
    env: { PATH: process.env["PATH"] ?? "", DATABASE_URL: `file:${join(program.folder, "data/jit.db")}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  keepTrackOf(child);
  const code = new Promise((ended) => child.once("close", ended));
  expect(await text(child.stderr)).toContain("Not reloaded.");
  expect(await code).toBe(1);
  await program.stop({ expectedErrors: 1 });
});
