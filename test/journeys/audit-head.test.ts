import Database from "better-sqlite3";
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { maintain, tamper } from "../maintenance/support/maintenance.ts";
import { askedBelow, autoBelow, manyCalls, staff } from "../support/company-config.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { startProgram, until, type Program } from "../support/program.ts";

leavesNothingBehind();

const config = {
  identities: staff,
  policies: [autoBelow("auto:"), askedBelow("asked:", { stages: [{ approvers: ["group:dba"] }] })],
};
const env = manyCalls;
const scope = "read:auto:a";
const ask = { scopes: [scope], duration: "1h" };

const fileIn = (program: Pick<Program, "folder">): string => join(program.folder, "data/jit.db");

function withoutTriggers(change: (client: Database.Database) => void) {
  return (client: Database.Database): void => {
    const triggers = client.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").pluck().all();
    for (const name of triggers) client.exec(`DROP TRIGGER ${String(name)}`);
    change(client);
  };
}

/** A stopped program that granted and ended access, and a copy of its folder from in between. */
async function rolledBack() {
  const program = await startProgram({ config, env });
  const dev = await program.person("dev");
  const ann = await program.person("ann");
  const live = (await dev.ask(ask)).body;
  const pending = (await dev.ask({ scopes: ["read:asked:a"] })).body;
  expect((await maintain(program.folder, ["backup", "before.db"])).error).toBe("");
  await program.admin.call("POST", `/api/v1/credentials/jit/${live.id}/revoke`, { reason: "over" });
  const seen = await verify(program);
  await program.stop();
  const lose = (): void => {
    const database = fileIn(program);
    for (const log of ["-wal", "-shm"]) rmSync(database + log, { force: true });
    cpSync(join(program.folder, "before.db"), database);
  };
  return { program, dev, ann, live, pending, seen, lose };
}

async function verify(program: Program, query = ""): Promise<Record<string, unknown>> {
  const { text } = await program.call("GET", `/api/v1/audit/verify${query}`, { key: program.admin.key });
  return JSON.parse(text);
}

test("with a truncated log checks and endings work, and new access is refused until an operator accepts the log", async () => {
  const { program: first, dev, ann, live, pending, seen, lose } = await rolledBack();
  lose();
  const program = await startProgram({ folder: first.folder, env });
  const again = { dev: program.as(dev.id, dev.key), ann: program.as(ann.id, ann.key) };
  expect((await program.check(live.credential.token, scope)).http).toBe(200);
  for (const refused of [
    await again.dev.ask({ ...ask, scopes: ["read:auto:b"] }),
    await again.dev.act(live.id, "rotate"),
    await again.ann.act(pending.id, "approve"),
  ]) {
    expect([refused.http, refused.body.code]).toEqual([503, "audit_head_differs"]);
  }
  expect((await again.ann.act(pending.id, "deny", { reason: "no" })).body.status).toBe("DENIED");
  expect((await again.dev.act(live.id, "complete")).body.status).toBe("COMPLETED");
  const ready = await program.call("GET", "/readyz");
  expect([ready.http, JSON.parse(ready.text).checks.audit.ok]).toEqual([200, false]);
  expect((await program.call("GET", "/metrics")).text).toContain("jit_audit_head_differs 1\n");
  await until(() => program.log.some(({ notice }) => notice === "audit_head_differs"));
  const { ok, tail, head } = await verify(
    program,
    `?seq=${String(seen["events"])}&head=${String(seen["head"])}`,
  );
  expect({ ok, isLost: ["shorter", "differs"].includes(String(tail)) }).toEqual({ ok: false, isLost: true });
  await program.stop({ expectedErrors: 1 });

  const wrong = await maintain(program.folder, ["accept-head", String(seen["head"])]);
  expect(wrong).toMatchObject({
    code: 1,
    error: expect.stringMatching(/^No record of the audit log has this hash/),
  });
  const accepted = await maintain(program.folder, ["accept-head", String(head)]);
  expect(accepted).toMatchObject({ code: 0, error: "" });
  const after = await startProgram({ folder: program.folder, env });
  expect((await after.as(dev.id, dev.key).ask(ask)).http).toBe(201);
  const record = (await after.audit()).find(({ action }) => action === "audit.head_accepted");
  expect(record).toMatchObject({
    actor: { id: "operator", via: "cli" },
    data: { hash: head, isChainWhole: true },
  });
  expect(await verify(after)).toMatchObject({ ok: true, tail: "unproven" });
  await after.stop();
  const unneeded = await maintain(program.folder, ["accept-head", String(head)]);
  expect(unneeded).toMatchObject({ code: 0, out: expect.stringContaining("nothing was changed") });
});

test("an emptied log does not verify, and objects without a record are named", async () => {
  const { program: first, live, pending } = await rolledBack();
  tamper(
    fileIn(first),
    withoutTriggers((client) => client.exec("DELETE FROM audit_events")),
  );
  const program = await startProgram({ folder: first.folder, env });
  const verdict = await verify(program);
  expect(verdict).toMatchObject({ ok: false, tail: "shorter" });
  expect(verdict["missing"]).toEqual(
    expect.arrayContaining([
      { kind: "request", id: live.id },
      { kind: "request", id: pending.id },
      { kind: "grant", id: expect.stringMatching(/^gr_/) },
    ]),
  );
  await program.stop({ expectedErrors: 1 });
});

test("a log whose tail was cut does not verify: the state it explained has no record", async () => {
  const { program: first, live } = await rolledBack();
  tamper(
    fileIn(first),
    withoutTriggers((client) => {
      client.exec(
        "DELETE FROM audit_events WHERE seq >= (SELECT max(seq) FROM audit_events WHERE action = 'grant.revoked')",
      );
    }),
  );
  // Like an attacker who can write every file in the folder.
  rmSync(join(first.folder, "data/audit-head"));
  const program = await startProgram({ folder: first.folder, env });
  expect(await verify(program)).toMatchObject({
    ok: false,
    tail: "unproven",
    missing: [{ kind: "request", id: live.id }, { kind: "grant" }],
  });
  await program.stop();
});

test("a log truncated while the service runs is detected within two seconds", async () => {
  const program = await startProgram({ config, env });
  const dev = await program.person("dev");
  expect((await dev.ask(ask)).http).toBe(201);
  const kept = join(program.folder, "data/audit-head");
  const last = (await program.audit()).at(-1)?.hash ?? "";
  await until(() => readFileSync(kept, "utf8").includes(last));
  tamper(
    fileIn(program),
    withoutTriggers((client) => client.exec("DELETE FROM audit_events WHERE seq > 3")),
  );
  await until(
    async () => (await dev.ask({ ...ask, scopes: ["read:auto:c"] })).body.code === "audit_head_differs",
  );
  await program.kill();
});

test("an unreadable kept head refuses new access, and a missing one does not", async () => {
  const first = await startProgram({ config, env });
  const dev = await first.person("dev");
  await first.stop();
  const kept = join(first.folder, "data/audit-head");
  expect(readFileSync(kept, "utf8")).toMatch(/^\d+ [0-9a-f]{64}\n$/);
  writeFileSync(kept, "what?");
  const second = await startProgram({ folder: first.folder, env });
  expect((await second.as(dev.id, dev.key).ask(ask)).body.code).toBe("audit_head_differs");
  await second.stop({ expectedErrors: 1 });
  rmSync(kept);
  const third = await startProgram({ folder: first.folder, env });
  expect((await third.as(dev.id, dev.key).ask(ask)).http).toBe(201);
  await third.stop();
});

test("after a kill the kept head is in the log, and a restored backup has its own", async () => {
  const { program, dev, lose } = await rolledBack();
  const running = await startProgram({ folder: program.folder, env });
  for (let turn = 0; turn < 10; turn++)
    await running.as(dev.id, dev.key).ask({ ...ask, scopes: [`read:auto:${turn}`] });
  await running.kill();
  const after = await startProgram({ folder: program.folder, env });
  expect((await after.as(dev.id, dev.key).ask({ ...ask, scopes: ["read:auto:x"] })).http).toBe(201);
  await after.stop();
  lose();
  expect((await maintain(program.folder, ["restore", "before.db"])).error).toBe("");
  const restored = await startProgram({ folder: program.folder, env });
  expect((await restored.as(dev.id, dev.key).ask({ ...ask, scopes: ["read:auto:x"] })).http).toBe(201);
  await restored.stop();
});

test("refused reads of the log are recorded on every route, ten a minute one by one and then counted", async () => {
  const program = await startProgram({ config, env });
  const dev = await program.person("dev");
  const paths = ["/audit", "/audit/export", "/audit/verify"];
  for (let call = 0; call < 12; call++) {
    expect((await dev.call("GET", `/api/v1${paths[call % 3]}`)).body.code).toBe("missing_role");
  }
  const refused = (await program.audit()).filter(({ action }) => action === "audit.read_refused");
  expect(refused.map(({ actor, data }) => [actor.id, data["verb"], data["code"]]).slice(0, 3)).toEqual([
    ["id_dev", "events", "missing_role"],
    ["id_dev", "export", "missing_role"],
    ["id_dev", "verify", "missing_role"],
  ]);
  expect(refused).toHaveLength(10);
  await program.stop();
  const client = new Database(fileIn(program), { readonly: true });
  const counted = client
    .prepare(
      "SELECT json_extract(body, '$.data.count') FROM audit_events WHERE action = 'audit.read_refused'",
    )
    .pluck()
    .all();
  client.close();
  expect(counted.at(-1)).toBe(2);
});

test("seq and head of a verification are required together, and validated", async () => {
  const program = await startProgram({ config, env });
  const call = (query: string) =>
    program.call("GET", `/api/v1/audit/verify${query}`, { key: program.admin.key });
  const zeros = "0".repeat(64);
  for (const query of [
    "?seq=1",
    `?head=${zeros}`,
    "?seq=1&head=abc",
    `?seq=-1&head=${zeros}`,
    `?seq=1&head=${zeros}&more=1`,
  ]) {
    expect({ query, http: (await call(query)).http }).toEqual({ query, http: 422 });
  }
  const { events, head, tail } = await verify(program);
  expect(tail).toBe("unproven");
  expect(await verify(program, `?seq=${String(events)}&head=${String(head).toUpperCase()}`)).toMatchObject({
    ok: true,
    tail: "matches",
  });
  expect(await verify(program, `?seq=${String(events)}&head=${zeros}`)).toMatchObject({
    ok: false,
    tail: "differs",
  });
  expect(await verify(program, `?seq=999999&head=${String(head)}`)).toMatchObject({
    ok: false,
    tail: "shorter",
  });
  await program.stop();
});
