import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { maintain } from "../maintenance/support/maintenance.ts";
import { everySecond, autoBelow, askedBelow, manyCalls, noSweep, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { startProgram, until, type Program } from "../support/program.ts";

leavesNothingBehind();

const dayMs = 86_400_000;
const config = {
  identities: staff,
  policies: [autoBelow("auto:"), askedBelow("asked:", { stages: [{ approvers: ["group:dba"] }] })],
  breakGlass: { allowed: ["group:oncall"], review: { by: ["group:leadership"] } },
};
// Without sweeps, so that access ends by the clock only.
const env = { ...noSweep, ...manyCalls };

/** Node flags that shift the program's system clock by this much. */
function clockSetBy(ms: number): readonly string[] {
  const file = join(temporaryFolder(), "clock.mjs");
  writeFileSync(file, `const real = Date.now;\nDate.now = () => real() + ${ms};\n`);
  return ["--import", file];
}

const startAgain = (folder: string, clockMs: number): Promise<Program> =>
  startProgram({ folder, env, flags: clockSetBy(clockMs) });

async function metric(program: Program, name: string): Promise<number> {
  const { text } = await program.call("GET", "/metrics");
  return Number(new RegExp(`^${name} (.*)$`, "m").exec(text)?.[1]);
}

const stopped = (program: Program): Promise<void> => program.stop({ expectedErrors: 1 });

test.for(["stop", "kill"] as const)(
  "with the clock set back a day while down (%s), what ended stays ended and nobody gets new access",
  async (end) => {
    const first = await startProgram({ config, env });
    const { folder } = first;
    const dev = await first.person("dev");
    const ended = (await dev.ask({ scopes: ["read:auto:a"], duration: "1s" })).body;
    const live = (await dev.ask({ scopes: ["read:auto:b"], duration: "1h" })).body;
    const approved = (await first.admin.ask({ identityId: dev.id, scopes: ["read:auto:c"] })).body;
    const pending = (await dev.ask({ scopes: ["read:asked:a"] })).body;
    const oncall = await first.person("oncall");
    const ann = await first.person("ann");
    await until(async () => (await first.check(ended.credential.token, "read:auto:a")).http === 401);
    // The recorded time has passed its end within a second.
    await until(() => Date.now() > Date.parse(ended.expiresAt) + 1_500);
    await first[end]();

    const second = await startAgain(folder, -dayMs);
    expect((await second.check(ended.credential.token, "read:auto:a")).http).toBe(401);
    expect((await second.check(live.credential.token, "read:auto:b")).http).toBe(200);
    const again = { dev: second.as(dev.id, dev.key), ann: second.as(ann.id, ann.key) };
    const refused = [
      await again.dev.ask({ scopes: ["read:auto:d"], duration: "1h" }),
      await again.dev.ask({ scopes: ["read:asked:b"] }),
      await second
        .as(oncall.id, oncall.key)
        .ask({ scopes: ["read:auto:e"], duration: "1h", breakGlass: true }),
      await again.dev.act(approved.id, "claim"),
      await again.dev.act(live.id, "rotate"),
      await again.dev.act(live.id, "extend", { duration: "1h", reason: "more" }),
      await again.ann.act(pending.id, "approve"),
    ];
    expect(refused.map(({ http, body }) => [http, body.code])).toEqual(
      refused.map(() => [503, "clock_behind"]),
    );
    expect((await again.ann.act(pending.id, "deny", { reason: "no" })).body.status).toBe("DENIED");
    expect((await again.dev.act(live.id, "complete")).body.status).toBe("COMPLETED");
    expect((await second.check(live.credential.token, "read:auto:b")).http).toBe(401);

    const ready = await second.call("GET", "/readyz");
    expect(ready.http).toBe(200);
    expect(JSON.parse(ready.text).checks.clock).toMatchObject({ ok: false });
    expect(await metric(second, "jit_clock_behind_seconds")).toBeGreaterThan(86_000);
    await second.logged("notice");
    expect(second.log.find(({ notice }) => notice === "clock_behind")).toBeDefined();
    await stopped(second);
  },
);

test("once the clock is right again, access is granted again without an acceptance", async () => {
  const { folder } = await seeded();
  const behind = await startAgain(folder, -3_600_000);
  const dev = await behind.person("dev");
  const ask = { scopes: ["read:auto:a"], duration: "1h" };
  expect((await dev.ask(ask)).body.code).toBe("clock_behind");
  await stopped(behind);
  const right = await startAgain(folder, 10_000);
  expect((await right.as(dev.id, dev.key).ask(ask)).http).toBe(201);
  await right.stop();
});

async function seeded(): Promise<Program> {
  const program = await startProgram({ config, env });
  await program.stop();
  return program;
}

test("accept-clock goes back from a wrong year: what ended stays ended, and access granted then ends", async () => {
  const { folder } = await seeded();
  const right = await startProgram({ folder, env });
  const dev = await right.person("dev");
  const before = (await dev.ask({ scopes: ["read:auto:a"], duration: "1h" })).body;
  await right.stop();
  const wrong = await startAgain(folder, 3_650 * dayMs);
  expect((await wrong.check(before.credential.token, "read:auto:a")).http).toBe(401);
  const late = await wrong.person("eve");
  const given = (await late.ask({ scopes: ["read:auto:b"], duration: "1h" })).body;
  const pending = (await late.ask({ scopes: ["read:asked:b"] })).body;
  expect((await wrong.check(given.credential.token, "read:auto:b")).http).toBe(200);
  const running = await maintain(folder, ["accept-clock", "--yes"]);
  expect(running).toMatchObject({
    code: 1,
    error: expect.stringMatching(/is in use by another jit-access process/),
  });
  await wrong.stop();

  const unsure = await maintain(folder, ["accept-clock"]);
  expect(unsure).toMatchObject({ code: 1, error: expect.stringContaining("Nothing was changed.") });
  const accepted = await maintain(folder, ["accept-clock", "--yes"]);
  expect(accepted).toMatchObject({ code: 0, error: "" });
  expect(accepted.out).toContain("2 requests and grants, 1 API keys");

  const after = await startProgram({ folder, env });
  for (const [token, scope] of [
    [before.credential.token, "read:auto:a"],
    [given.credential.token, "read:auto:b"],
  ] as const) {
    expect((await after.check(token, scope)).http).toBe(401);
  }
  const people = { dev: after.as(dev.id, dev.key), eve: after.as(late.id, late.key) };
  expect((await people.dev.read(before.id)).body.status).toBe("EXPIRED");
  expect((await people.eve.read(given.id)).http).toBe(401);
  expect((await after.admin.read(pending.id)).body.status).toBe("CANCELLED");
  expect((await people.dev.ask({ scopes: ["read:auto:a"], duration: "1h" })).http).toBe(201);
  const audit = await after.audit();
  expect(audit.find(({ action }) => action === "clock.accepted")).toMatchObject({
    actor: { id: "operator", via: "cli" },
    data: { requests: 2, keys: 1 },
  });
  await after.stop();
  const again = await maintain(folder, ["accept-clock", "--yes"]);
  expect(again).toMatchObject({ code: 0, out: expect.stringContaining("not behind") });
});

test("with its usual sweeps a service whose clock is behind stays ready, and ends access at its time", async () => {
  const first = await startProgram({ config, env: everySecond });
  const dev = await first.person("dev");
  const live = (await dev.ask({ scopes: ["read:auto:a"], duration: "4s" })).body;
  await first.stop();
  const program = await startProgram({ folder: first.folder, env: everySecond, flags: clockSetBy(-dayMs) });
  await until(async () => (await program.check(live.credential.token, "read:auto:a")).http === 401);
  await until(async () => (await program.as(dev.id, dev.key).read(live.id)).body.status === "EXPIRED");
  await until(async () => (await program.audit(live.id)).some(({ action }) => action === "grant.expired"));
  expect((await program.call("GET", "/readyz")).http).toBe(200);
  await stopped(program);
});
