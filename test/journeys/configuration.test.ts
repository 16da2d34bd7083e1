import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, deniedBelow, noSweep, staff } from "../support/company-config.ts";
import { api } from "../support/api-client.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { pause, startProgram, type Program } from "../support/program.ts";

leavesNothingBehind({ sideBySide: true });

const auto = autoBelow("auto:");
const asked = askedBelow("asked:", { stages: [{ approvers: ["group:dba"] }] });
const config = { identities: staff, policies: [auto, asked] };

async function versionsOf({ admin }: Program): Promise<Readonly<Record<string, number>>> {
  const { data } = (await admin.call("GET", `${api}/policies`)).body;
  return Object.fromEntries(data.map(({ name, version }) => [name, version]));
}

/** Sends SIGHUP and returns the resulting log line. */
async function reload(program: Program, said: RegExp) {
  const before = program.log.length;
  program.hup();
  return program.logged(said, before);
}

const loaded = /^configuration loaded$/;
const refused = /^reload rejected, configuration unchanged$/;

/** Waits until a request has this state. */
async function readsAs(program: Program, id: string, status: string): Promise<void> {
  while ((await program.admin.read(id)).body.status !== status) await pause(20);
}

describe.concurrent("a reload by SIGHUP", () => {
  test("takes effect without a restart; a version rises only where content has changed", async () => {
    const program = await startProgram({ config, env: noSweep });
    const dev = await program.person("dev");
    expect(await versionsOf(program)).toEqual({ "auto auto:": 1, "asked asked:": 1 });
    expect(await reload(program, loaded)).toMatchObject({ changed: 0 });
    expect(await versionsOf(program)).toEqual({ "auto auto:": 1, "asked asked:": 1 });

    const changed = { ...asked, maxDuration: "30m" };
    program.configure({ identities: staff, policies: [auto, changed, deniedBelow("never:")] });
    expect(await reload(program, loaded)).toMatchObject({ policies: 3, changed: 2 });
    expect(await versionsOf(program)).toEqual({ "auto auto:": 1, "asked asked:": 2, "denied never:": 1 });
    expect((await dev.ask({ scopes: ["read:asked:a"] })).body.code).toBe("duration_exceeds_policy");

    program.configure({ identities: staff, policies: [changed] });
    await reload(program, loaded);
    expect((await dev.ask({ scopes: ["read:auto:a"] })).body.code).toBe("policy_denied");
    await program.stop();
  });

  test("warns about people and channels that do not exist; those added through the API exist", async () => {
    const program = await startProgram({ config, env: noSweep });
    const warning = /^configuration warnings$/;
    expect(program.log.filter(({ msg }) => warning.test(msg))).toEqual([]);
    const approval = (group: string) => ({
      channels: ["slack:C0DBA"],
      stages: [{ approvers: [`group:${group}`] }],
    });
    program.configure({
      identities: staff,
      policies: [auto, { name: "n", priority: -1, approval: approval("night") }],
    });
    expect(await reload(program, warning)).toMatchObject({
      level: "warn",
      warnings: [
        expect.stringMatching(
          /^jit\.yaml:\d+:\d+ policies\.1\.approval\.channels\.0: slack:C0DBA is told nothing/,
        ),
        expect.stringMatching(/^jit\.yaml:\d+:\d+ policies\.1\.approval\.\S+: group:night means nobody/),
      ],
    });
    const nora = { kind: "HUMAN", name: "Nora", email: "nora@company.com", groups: ["night"] };
    expect((await program.admin.call("POST", `${api}/identities`, nora)).http).toBe(201);
    expect((await reload(program, warning))["warnings"]).toEqual([expect.stringContaining("slack:C0DBA")]);
    await program.stop();
  });

  test("an invalid file changes nothing and is reported by file, line and column", async () => {
    const program = await startProgram({ config, env: noSweep });
    const before = await program.admin.call("GET", `${api}/policies`);
    program.configure(
      ["identities: []", "policies:", "  - name: wide open", "    autoApprove: true", "rolls: {}", ""].join(
        "\n",
      ),
    );
    const said = await reload(program, refused);
    expect(said.level).toBe("error");
    expect(said["problems"]).toEqual([
      expect.stringMatching(/^jit\.yaml:3:\d+ policies\.0(\.conditions)?: .+/),
      expect.stringMatching(/^jit\.yaml:5:1 rolls: .+/),
    ]);
    program.configure("policies: [");
    expect((await reload(program, refused))["problems"]).toEqual([
      expect.stringMatching(/^jit\.yaml:\d+:\d+ .+/),
    ]);
    expect((await program.admin.call("GET", `${api}/policies`)).text).toBe(before.text);
    expect((await (await program.person("dev")).ask({ scopes: ["read:auto:a"] })).body.status).toBe("ACTIVE");

    program.configure(config);
    await reload(program, loaded);
    await program.stop({ expectedErrors: 2 });
  });

  test("several in a row end with the last content of the file", async () => {
    const program = await startProgram({ config, env: noSweep });
    for (let turn = 1; turn <= 6; turn++) {
      program.configure({ identities: staff, policies: [{ ...asked, description: `turn ${turn}` }] });
      program.hup();
      await pause(5);
    }
    const isLast = async () => (await program.admin.call("GET", `${api}/policies`)).text.includes("turn 6");
    while (!(await isLast())) await pause(20);
    expect((await program.admin.call("GET", `${api}/audit/verify`)).body.ok).toBe(true);
    await program.stop();
  });

  test("an address is free once its person is removed from the file, and otherwise refused with its owner's name", async () => {
    const program = await startProgram({ config, env: noSweep });
    const renamed = staff.map((one) => (one.id === "id_dev" ? { ...one, id: "id_developer" } : one));
    program.configure({ ...config, identities: renamed });
    await reload(program, loaded);
    expect((await program.admin.call("GET", `${api}/identities/id_dev`)).body.active).toBe(false);
    const dev = await program.person("developer");
    expect((await dev.ask({ scopes: ["read:auto:a"] })).body.status).toBe("ACTIVE");
    const someone = { kind: "HUMAN", name: "New", email: "Dev@company.com" };
    expect((await program.admin.call("POST", `${api}/identities`, someone)).body).toMatchObject({
      code: "name_taken",
      detail: `"dev@company.com" is already in use by id_developer.`,
    });
    program.configure(config);
    await reload(program, loaded);
    await program.stop();
  });

  test("objects of the file are read-only over the API, except for `active` of a person", async () => {
    const program = await startProgram({ config, env: noSweep });
    const { data } = (await program.admin.call("GET", `${api}/policies`)).body;
    const gone = await program.admin.call("DELETE", `${api}/policies/${data[0]?.id}`);
    expect([gone.http, gone.body.code]).toEqual([409, "managed_by_file"]);
    const renamed = await program.admin.call("PATCH", `${api}/identities/id_dev`, { name: "Devil" });
    expect([renamed.http, renamed.body.code]).toEqual([409, "managed_by_file"]);
    await program.stop();
  });
});

describe.concurrent("somebody who is deactivated", () => {
  test("can do nothing from that moment on; requests are cancelled, access ends, and reloads do not undo it", async () => {
    const program = await startProgram({ config, env: noSweep });
    const [dev, ann] = [await program.person("dev"), await program.person("ann")];
    const { id, credential } = (await dev.ask({ scopes: ["read:auto:a"] })).body;
    const pending = (await dev.ask({ scopes: ["read:asked:a"] })).body;
    const switched = await program.admin.call("PATCH", `${api}/identities/id_dev`, { active: false });
    expect(switched.body.active).toBe(false);
    expect((await program.check(credential.token, "read:auto:a")).http).toBe(401);
    expect((await dev.ask({ scopes: ["read:auto:b"] })).body.code).toBe("identity_inactive");
    expect((await ann.act(pending.id, "approve")).http).not.toBe(200);
    await readsAs(program, id, "REVOKED");
    await readsAs(program, pending.id, "CANCELLED");

    await reload(program, loaded);
    expect((await dev.ask({ scopes: ["read:auto:b"] })).body.code).toBe("identity_inactive");
    await program.admin.call("PATCH", `${api}/identities/id_dev`, { active: true });
    expect((await dev.ask({ scopes: ["read:auto:b"] })).body.status).toBe("ACTIVE");
    expect((await program.check(credential.token, "read:auto:a")).http).toBe(401);
    await program.stop();
  });

  test("by removal from the file loses all access with the reload", async () => {
    const program = await startProgram({ config, env: noSweep });
    const dev = await program.person("dev");
    const { id, credential } = (await dev.ask({ scopes: ["read:auto:a"] })).body;
    program.configure({ ...config, identities: staff.filter((one) => one.id !== "id_dev") });
    await reload(program, loaded);
    expect((await program.check(credential.token, "read:auto:a")).http).toBe(401);
    await readsAs(program, id, "REVOKED");
    expect((await dev.ask({ scopes: ["read:auto:b"] })).body.code).toBe("identity_inactive");
    await program.stop();
  });
});

describe.concurrent("a lockdown", () => {
  test("refuses all new access but break-glass, keeps existing access, and lasts across restarts until it is ended", async () => {
    const breakGlass = { allowed: ["group:oncall"], review: { by: ["group:security"] } };
    const first = await startProgram({ config: { ...config, breakGlass }, env: noSweep });
    const people = async (program: Program) =>
      [await program.person("dev"), await program.person("ann"), await program.person("oncall")] as const;
    const [dev, ann] = await people(first);
    const held = (await dev.ask({ scopes: ["read:auto:a"] })).body;
    const approved = (await dev.ask({ scopes: ["read:asked:a"] })).body;
    await ann.act(approved.id, "approve");
    expect((await first.admin.call("POST", `${api}/lockdown`, { on: true, reason: "breach" })).http).toBe(
      200,
    );
    await first.stop();

    const program = await startProgram({ folder: first.folder, env: noSweep });
    const [devAgain, annAgain, oncall] = await people(program);
    expect((await program.check(held.credential.token, "read:auto:a")).http).toBe(200);
    expect((await devAgain.ask({ scopes: ["read:auto:b"] })).body.code).toBe("policy_denied");
    expect((await devAgain.act(approved.id, "claim")).body.code).toBe("policy_denied");
    const more = await devAgain.act(held.id, "extend", { duration: "5m", reason: "more" });
    expect(more.body.code).toBe("policy_denied");
    const pending = (await devAgain.ask({ scopes: ["read:asked:b"] })).body;
    expect((await annAgain.act(pending.id, "approve")).body.status).toBe("APPROVED");
    expect((await oncall.ask({ scopes: ["read:auto:c"], breakGlass: true })).body.status).toBe("ACTIVE");

    await program.admin.call("POST", `${api}/lockdown`, { on: false, reason: "over" });
    expect((await devAgain.act(approved.id, "claim")).body.status).toBe("ACTIVE");
    expect((await devAgain.ask({ scopes: ["read:auto:b"] })).body.status).toBe("ACTIVE");
    await program.stop();
  });
});

test("a reload with a token in the file is rejected with its position; the token is revoked and stored nowhere", async () => {
  const program = await startProgram({ config, env: noSweep });
  const made = await program.admin.call("POST", `${api}/api-keys`, {
    identityId: "id_ann",
    roles: ["approver"],
  });
  const { token } = made.body;
  program.configure({ identities: staff, policies: [{ ...deniedBelow("never:"), description: token }] });
  await reload(program, refused);
  const log = program.log.map((line) => JSON.stringify(line)).join("\n");
  expect(log).toContain("policies.0.description");
  expect(log).not.toContain(token);
  const keys = await program.admin.call("GET", `${api}/api-keys`);
  expect(keys.body.data.map(({ id }: { id: string }) => id)).not.toContain(made.body.id);
  program.configure(config);
  await program.stop({ expectedErrors: 1 });
});
