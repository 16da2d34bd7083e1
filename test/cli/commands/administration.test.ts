import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leavesNothingBehind } from "../../support/leftover-processes.ts";
import { createCliHarness, why } from "../support/api-harness.ts";
import { jit as runJit } from "../support/run-jit.ts";

leavesNothingBehind();

const { program, as, json, askFor } = createCliHarness();

describe("administering", () => {
  test("a key is created, works, is listed without its token, and is deleted", async () => {
    const { code, out } = await as(
      "admin",
      "keys",
      "create",
      "id_eve",
      "--role",
      "auditor",
      "--name",
      "k",
      "--expires",
      "1d",
      "--token-only",
    );
    expect(code).toBe(0);
    const key = out.trim();
    const { id } = program().as("id_eve", key);
    expect(id).toBe("id_eve");
    const listed = await runJit(["keys", "list"], { url: program().address, key, time: "real" });
    expect(listed.code).toBe(0);
    expect(listed.out).not.toContain(key);
    const keyId =
      listed.out
        .split("\n")
        .find((line) => line.endsWith(" k"))
        ?.split(" ")[0] ?? "";
    expect((await as("admin", "keys", "delete", keyId)).out).toMatch(/^Deleted +key_/);
    expect((await runJit(["keys", "list"], { url: program().address, key, time: "real" })).code).toBe(3);
    expect((await as("admin", "keys", "delete", "key_none")).code).toBe(4);
  });

  test("all access of a person ends at once, and a lockdown refuses new access", async () => {
    const id = await askFor("dev", "eve");
    const ended = await as("admin", "revoke-all", "--identity", "id_eve", "--reason", "left");
    expect(ended.out).toContain(`${id}\n`);
    expect((await json("eve", "status", id)).status).toBe("REVOKED");
    const policies = (await as("admin", "policy", "list")).out;
    expect(policies).toMatch(/^pol_\S+ +1 +file +0 +approves +auto dev:$/m);
    expect(policies).toMatch(/^pol_\S+ +1 +file +0 +denies +denied no:$/m);
    const [whole] = (await json("admin", "policy", "list")).data;
    expect(whole).toMatchObject({ conditions: expect.any(Array), maxDuration: "2h" });
    const body = {
      name: "pol_x",
      deny: true,
      conditions: [{ type: "RESOURCE", operator: "EQUALS", value: "x" }],
    };
    expect((await program().admin.call("POST", "/api/v1/policies", body)).http).toBe(201);
    const odd = await as("admin", "revoke-all", "--policy", "pol_x", "--reason", "x");
    expect([odd.code, odd.err]).toEqual([0, expect.stringContaining("Nothing to end")]);
    const again = await askFor("dev", "eve");
    const byName = await as("admin", "revoke-all", "--policy", "auto dev:", "--reason", "x");
    expect(byName.out).toContain(`${again}\n`);
    const noName = await as("admin", "revoke-all", "--policy", "auto", "--reason", "x");
    expect([noName.code, noName.err]).toEqual([4, expect.stringContaining("jit policy list shows them")]);
    expect((await as("admin", "revoke-all", "--policy", "pol_none", "--reason", "x")).code).toBe(4);
    const none = await as("admin", "revoke-all", "--scope-prefix", "none:", "--reason", "x");
    expect([none.code, none.err]).toEqual([0, "jit: Nothing to end: no active access matches.\n"]);
    const slip = await as("admin", "revoke-all", "--identity", "id_evee", "--reason", "left");
    expect([slip.code, slip.err]).toEqual([4, expect.stringContaining("(identity_unknown)")]);
    expect((await as("admin", "lockdown", "on", "--reason", "incident")).out).toBe("Lockdown is on.\n");
    const status = await as("admin", "lockdown", "status");
    expect(status.out).toMatch(/^Lockdown {2}on\nSince {5}.+\nBy {8}.+\nReason {4}incident\n$/);
    expect((await as("dev", "ask", "read:dev:z", ...why)).err).toContain("(policy_denied)");
    expect((await as("admin", "lockdown", "off", "--reason", "over")).out).toBe("Lockdown is off.\n");
    expect((await as("dev", "lockdown", "on", "--reason", "x")).err).toContain("(missing_role)");
  });

  test("a deactivated person loses all access, which stays ended after activation", async () => {
    const id = await askFor("dev", "eve");
    const off = await as("admin", "people", "deactivate", "id_eve");
    expect([off.code, off.out]).toEqual([0, expect.stringMatching(/^Active +no$/m)]);
    await expect.poll(async () => (await json("admin", "status", id)).status).toBe("REVOKED");
    expect((await as("admin", "people", "list")).out).toMatch(/^id_eve +HUMAN +no /m);
    expect((await as("eve", "ask", "read:dev:z", ...why)).err).toContain("(identity_inactive)");
    expect((await as("admin", "people", "activate", "id_eve")).out).toMatch(/^Active +yes$/m);
    expect((await json("admin", "status", id)).status).toBe("REVOKED");
    expect((await as("admin", "people", "deactivate", "id_none")).code).toBe(4);
    expect((await as("dev", "people", "deactivate", "id_eve")).err).toContain("(missing_role)");
  });

  test("the audit log is listed, verified and exported completely", async () => {
    const id = await askFor("db");
    const listed = await as("admin", "audit", "list", "--request", id, "--action", "request.submitted");
    expect(listed.out).toMatch(new RegExp(`^\\d+ .* request\\.submitted +Dev +api +${id}$`, "m"));
    expect((await as("admin", "audit", "list", "--limit", "2")).err).toContain("--after 2");
    await as("admin", "lockdown", "on", "--reason", "a drill");
    await as("admin", "lockdown", "off", "--reason", "over");
    const about = async (action: string) => (await as("admin", "audit", "list", "--action", action)).out;
    expect(await about("lockdown.changed")).toMatch(/ on: a drill$/m);
    await as("dev", "ask", "read:no:a", ...why);
    expect(await about("request.refused")).toMatch(/ id_dev policy_denied$/m);
    expect(await about("policy.changed")).toMatch(/ auto dev:: created$/m);
    expect(await about("config.loaded")).toMatch(/ \S*jit\.yaml$/m);
    const verified = await as("admin", "audit", "verify");
    expect(verified.code).toBe(0);
    expect(verified.out).toMatch(/^Chain +unbroken$/m);

    const piped = (await as("admin", "audit", "export")).out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(piped.map(({ seq }) => seq)).toEqual(piped.map((_, index) => index + 1));
    const folder = mkdtempSync(join(tmpdir(), "jit-cli-"));
    try {
      const file = join(folder, "audit.csv");
      const { code, out } = await as("admin", "audit", "export", "--format", "csv", "--out", file);
      expect({ code, out }).toEqual({ code: 0, out: "" });
      expect(readFileSync(file, "utf8")).toMatch(/^seq,at,action,/);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const nowhere = await as("admin", "audit", "export", "--out", join(folder, "none/audit.csv"));
      expect(nowhere.code).toBe(2);
      expect(nowhere.err).toContain("ENOENT");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
