import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { formatToken, secretFrom } from "../../src/core/values/token-format.ts";
import { noSweep } from "../support/company-config.ts";
import { api } from "../support/api-client.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { startProgram, type Program } from "../support/program.ts";

leavesNothingBehind({ sideBySide: true });

const newKey = () =>
  formatToken(
    "live",
    secretFrom((count) => randomBytes(count)),
  );
const fileOf = ({ folder }: Program) => join(folder, "data/admin-key");
const opens = async ({ call }: Program, key: string) =>
  (await call("GET", `${api}/api-keys`, { key })).http === 200;

describe.concurrent("the built-in key", () => {
  test("is made at the first start, written once for the operator only, and survives restarts", async () => {
    const first = await startProgram({ config: {}, env: noSweep });
    const { mtimeMs, mode } = statSync(fileOf(first));
    expect((mode & 0o777).toString(8)).toBe("600");
    const key = readFileSync(fileOf(first), "utf8").trim();
    expect(key).toMatch(/^kd_live_[0-9A-Za-z]{36}$/);
    expect((await first.logged("admin key stored"))["file"]).toMatch(/data\/admin-key$/);
    expect(await opens(first, key)).toBe(true);
    await first.stop();

    const second = await startProgram({ folder: first.folder, env: noSweep });
    expect(await opens(second, key)).toBe(true);
    expect(statSync(fileOf(second)).mtimeMs).toBe(mtimeMs);
    const { data } = (await second.admin.call("GET", `${api}/api-keys`)).body;
    expect(data).toEqual([expect.objectContaining({ identityId: "id_admin", expiresAt: null })]);
    await second.stop();
  });

  test("may only administer: it cannot decide, claim or review", async () => {
    const program = await startProgram({ env: noSweep });
    const dev = await program.person("abc123", "requester");
    const { id } = (await dev.ask({ scopes: ["read:reports"] })).body;
    for (const verb of ["approve", "claim"]) {
      const answer = await program.admin.act(id, verb);
      expect([verb, answer.http, answer.body.code]).toEqual([verb, 403, "missing_role"]);
    }
    await program.stop();
  });

  test("in JIT_ADMIN_KEY replaces the one before, at each change, and writes no file", async () => {
    const first = await startProgram({ config: {}, env: noSweep });
    const made = readFileSync(fileOf(first), "utf8").trim();
    await first.stop();
    const [one, two] = [newKey(), newKey()];
    const second = await startProgram({ folder: first.folder, env: { ...noSweep, JIT_ADMIN_KEY: one } });
    expect([await opens(second, made), await opens(second, one)]).toEqual([false, true]);
    await second.stop();
    const third = await startProgram({ folder: first.folder, env: { ...noSweep, JIT_ADMIN_KEY: two } });
    expect([await opens(third, one), await opens(third, two)]).toEqual([false, true]);
    await third.stop();

    const fresh = await startProgram({ config: {}, env: { ...noSweep, JIT_ADMIN_KEY: one } });
    expect(existsSync(fileOf(fresh))).toBe(false);
    await fresh.stop();
  });

  test("once deleted or reported as leaked stays revoked although its file exists, and a new one is made", async () => {
    const first = await startProgram({ config: {}, env: noSweep });
    const key = readFileSync(fileOf(first), "utf8").trim();
    await first.call("POST", `${api}/credentials/revoke`, { form: { token: key } });
    expect(await opens(first, key)).toBe(false);
    await first.kill();

    const second = await startProgram({ folder: first.folder, env: noSweep });
    const made = readFileSync(fileOf(second), "utf8").trim();
    expect(made).not.toBe(key);
    expect([await opens(second, key), await opens(second, made)]).toEqual([false, true]);
    const { data } = (await second.admin.call("GET", `${api}/api-keys`)).body;
    const living = data.find(({ id }) => id !== undefined);
    expect((await second.admin.call("DELETE", `${api}/api-keys/${living?.id}`)).http).toBe(200);
    expect(await opens(second, made)).toBe(false);
    await second.kill();

    const third = await startProgram({ folder: first.folder, env: noSweep });
    expect(await opens(third, made)).toBe(false);
    expect((await third.admin.call("GET", `${api}/audit/verify`)).body.ok).toBe(true);
    await third.stop();
  });
});
