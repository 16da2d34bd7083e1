import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { askedBelow, autoBelow, deniedBelow, manyCalls, staff } from "../support/company.ts";
import { leavesNothingBehind } from "../support/left-behind.ts";
import { sharedProgram } from "../support/program.ts";
import { jit as runJit, type Ended } from "./support/jit.ts";

leavesNothingBehind();

const below = (prefix: string, ...groups: readonly string[]) =>
  askedBelow(prefix, { stages: groups.map((group) => ({ approvers: [`group:${group}`] })) });
const program = sharedProgram({
  config: {
    identities: staff,
    policies: [
      autoBelow("dev:", { maxDuration: "2h" }),
      below("db:", "dba"),
      below("two:", "dba", "security"),
      deniedBelow("no:"),
    ],
    catalog: [
      { name: "Development", scopes: ["read:dev:a"], description: "At once" },
      { name: "Never", scopes: ["read:no:a"] },
    ],
    breakGlass: { allowed: ["group:oncall", "sam@company.com"], review: { by: ["group:security"] } },
  },
  env: manyCalls,
});

type Somebody = "dev" | "eve" | "ann" | "sec" | "oncall" | "admin";

/** Somebody's command line against the real program. */
const as = async (who: Somebody, ...args: readonly string[]): Promise<Ended> => {
  const { address, admin, person } = program();
  const { key } = who === "admin" ? admin : await person(who);
  return runJit(args, { url: address, key, time: "real" });
};

/** The JSON of somebody's successful command line. */
const json = async (who: Somebody, ...args: readonly string[]) => {
  const { code, out, err } = await as(who, ...args, "--json");
  expect({ args, code, err: code === 0 ? "" : err }).toEqual({ args, code: 0, err: "" });
  return JSON.parse(out);
};

const why = ["--for", "1h", "--reason", "INC-42"];
const tokenLine = /^Token +(kd_jit_[0-9A-Za-z]{36})$/m;

/** Dev asks for something of its own; the id. */
let asked = 0;
const askFor = async (prefix: string, who: Somebody = "dev"): Promise<string> =>
  (await json(who, "ask", `read:${prefix}:${++asked}`, ...why)).id;

test("whose key it is", async () => {
  const { code, out } = await as("dev", "whoami");
  expect(code).toBe(0);
  expect(out).toMatch(/^Identity +id_dev$/m);
});

describe("from asking to being done", () => {
  test("access that is given at once comes with its token, which opens it until done", async () => {
    const { code, out } = await as("dev", "ask", "read:dev:a", "--scope", "write:dev:a", ...why);
    expect(code).toBe(0);
    const token = tokenLine.exec(out)?.[1] ?? "";
    const id = /^Request +(jit_\w+)$/m.exec(out)?.[1] ?? "";
    expect((await program().check(token, "read:dev:a", "write:dev:a")).http).toBe(200);
    const rotated = await as("dev", "rotate", id, "--token-only");
    expect(rotated.out).toMatch(/^kd_jit_[0-9A-Za-z]{36}\n$/);
    expect((await program().check(token, "read:dev:a")).http).toBe(401);
    const done = await as("dev", "done", id, "--note", "finished");
    expect(done.out).toMatch(/^Status +COMPLETED$/m);
    expect((await program().check(rotated.out.trim(), "read:dev:a")).http).toBe(401);
  });

  test("access that people decide: asked, listed, approved for less, waited for, claimed", async () => {
    const id = await askFor("db");
    const listed = await as("ann", "list", "--approver-me", "--status", "PENDING");
    expect(listed.out).toContain(id);
    const waiting = as("dev", "wait", id, "--timeout", "20s");
    const approved = await json("ann", "approve", id, "--for", "30m", "--comment", "go ahead");
    expect(approved).toMatchObject({ status: "APPROVED", grantedDuration: "30m" });
    const waited = await waiting;
    expect(waited.code).toBe(0);
    expect(waited.err).toContain(`${id} is approved.`);
    expect((await as("dev", "claim", id)).out).toMatch(tokenLine);
    expect((await as("dev", "claim", id)).code).toBe(1);
    expect((await as("ann", "status", id)).out).toMatch(/^Duration +1h asked, 30m granted$/m);
    expect((await as("eve", "status", id)).code).toBe(4);
    expect((await as("dev", "access", "--identity", "id_dev")).out).toContain(id);
  });

  test("--token-only asks, waits and claims in one", async () => {
    const waiting = as("dev", "ask", "read:db:once", ...why, "--token-only");
    let id = "";
    while (id === "") {
      const { data } = await json(
        "ann",
        "list",
        "--approver-me",
        "--status",
        "PENDING",
        "--scope",
        "read:db:once",
      );
      id = data[0]?.id ?? "";
    }
    await json("ann", "approve", id);
    const { out } = await waiting;
    expect((await program().check(out.trim(), "read:db:once")).http).toBe(200);
  });

  test("denied, cancelled, revoked and extended", async () => {
    const denied = await askFor("db");
    const waiting = as("dev", "wait", denied);
    await json("ann", "deny", denied, "--reason", "not now");
    const waited = await waiting;
    expect(waited.code).toBe(6);
    expect(waited.err).toContain("DENIED: not now");

    const cancelled = await askFor("db");
    expect(await json("dev", "cancel", cancelled, "--reason", "wrong one")).toMatchObject({
      status: "CANCELLED",
    });

    const live = await askFor("dev");
    const child = await json("dev", "extend", live, "--for", "30m", "--reason", "takes longer");
    expect(child).toMatchObject({ status: "COMPLETED", extends: live });
    expect((await as("dev", "wait", child.id)).code).toBe(0);
    expect(await json("admin", "revoke", live, "--reason", "enough")).toMatchObject({ status: "REVOKED" });
    expect((await as("dev", "done", live)).code).toBe(1);
  });

  test("asked by an administrator for somebody, who alone gets the token", async () => {
    const asking = ["ask", "read:dev:for-eve", ...why, "--as", "id_eve"];
    const { id, status } = await json("admin", ...asking);
    expect(status).toBe("APPROVED");
    expect((await as("admin", "claim", id)).code).toBe(1);
    expect((await as("eve", "claim", id)).out).toMatch(tokenLine);
    expect((await as("dev", ...asking)).err).toContain("(not_self)");
  });

  test("break-glass is given at once and judged afterwards", async () => {
    const { id } = await json("oncall", "ask", "read:db:fire", ...why, "--break-glass");
    const statusListed = async () => (await as("sec", "list", "--scope", "read:db:fire")).out;
    expect(await statusListed()).toMatch(new RegExp(`^${id} +ACTIVE, break-glass, review due `, "m"));
    const judged = await as("sec", "review", id, "--unjustified", "--comment", "no fire");
    expect(judged.out).toMatch(/^Status +REVOKED, break-glass$/m);
    expect(await statusListed()).toMatch(new RegExp(`^${id} +REVOKED, break-glass `, "m"));
    expect(judged.out).toMatch(/^Review +unjustified by id_sec "no fire"$/m);
  });

  test("an approval of what has changed since is refused", async () => {
    const id = await askFor("two");
    const { revision } = await json("ann", "status", id);
    expect((await as("ann", "approve", id, "--revision", "other")).err).toContain("(request_changed)");
    expect(await json("ann", "approve", id, "--revision", revision)).toMatchObject({ status: "PENDING" });
  });
});

describe("looking", () => {
  test("lists go on page by page", async () => {
    await askFor("db");
    await askFor("db");
    const first = await as("dev", "list", "--mine", "--limit", "1", "--since", "1h");
    const cursor = /There is more: --cursor (\S+)/.exec(first.err)?.[1] ?? "";
    const second = await as("dev", "list", "--mine", "--limit", "1", "--cursor", cursor);
    const [one = "", two = ""] = [first, second].map(({ out }) => out.split("\n")[1]?.split(" ")[0]);
    expect(one).toMatch(/^jit_/);
    expect(two).toMatch(/^jit_/);
    expect(one).not.toBe(two);
  });

  test("the catalog names what may be asked for, and what that leads to", async () => {
    const { out } = await as("dev", "catalog", "--for", "1h");
    expect(out).toMatch(/^Development +AUTO_APPROVED +read:dev:a +At once$/m);
    expect(out).not.toContain("Never");
  });

  test("why says who would have to approve and how every policy stands, and stores nothing", async () => {
    const { code, out } = await as("dev", "why", "read:two:x");
    expect(code).toBe(0);
    expect(out).toContain("NEEDS_APPROVAL\nStage 1: 1 of Ann, Bob, Cid\nStage 2: 1 of Sec, Sam\n");
    expect(out).toContain("read:two:x -> asked two:: it governs, the first that holds\n");
    expect(out).toContain(
      '  yes asked two:: governs\n      yes RESOURCE STARTS_WITH "two:"   found: two:x\n',
    );
    expect(out).toContain("  no  denied no:: does not hold\n");
    expect((await json("dev", "list", "--scope", "read:two:x")).data).toEqual([]);
  });

  test("why of an emergency says whether it could be taken, and takes nothing", async () => {
    const { code, out } = await as("admin", "why", "read:two:x", "--break-glass", "--as", "id_sam");
    expect([code, out]).toEqual([0, expect.stringMatching(/^BREAK_GLASS\nNobody approves it: /)]);
    expect(out).not.toContain("To be claimed");
    const refused = await as("dev", "why", "read:two:x", "--break-glass");
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining("(break_glass_not_allowed)")]);
    expect((await json("admin", "list", "--identity", "id_sam")).data).toEqual([]);
  });

  test("why of what would be refused: exit 1", async () => {
    const { code, out } = await as("dev", "why", "read:no:x", "--for", "30m");
    expect(code).toBe(1);
    expect(out).toMatch(/^REFUSED: The policy "denied no:" denies read:no:x\. \(policy_denied\)$/m);
  });
});

describe("administering", () => {
  test("a key is made, opens the door, is listed without itself, and is ended", async () => {
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

  test("everything of a person ends at once, and a lockdown stops new access", async () => {
    const id = await askFor("dev", "eve");
    const ended = await as("admin", "revoke-all", "--identity", "id_eve", "--reason", "left");
    expect(ended.out).toContain(`${id}\n`);
    expect((await json("eve", "status", id)).status).toBe("REVOKED");
    const policies = (await as("admin", "policy", "list")).out;
    expect(policies).toMatch(/^pol_\S+ +1 +file +0 +approves +auto dev:$/m);
    expect(policies).toMatch(/^pol_\S+ +1 +file +0 +denies +denied no:$/m);
    const again = await askFor("dev", "eve");
    const byName = await as("admin", "revoke-all", "--policy", "auto dev:", "--reason", "x");
    expect(byName.out).toContain(`${again}\n`);
    const noName = await as("admin", "revoke-all", "--policy", "auto", "--reason", "x");
    expect([noName.code, noName.err]).toEqual([4, expect.stringContaining("jit policy list shows them")]);
    expect((await as("admin", "revoke-all", "--policy", "pol_none", "--reason", "x")).code).toBe(4);
    const none = await as("admin", "revoke-all", "--scope-prefix", "none:", "--reason", "x");
    expect([none.code, none.err]).toEqual([0, "jit: Nothing was ended: no access that lasts is meant.\n"]);
    const slip = await as("admin", "revoke-all", "--identity", "id_evee", "--reason", "left");
    expect([slip.code, slip.err]).toEqual([4, expect.stringContaining("(identity_unknown)")]);
    expect((await as("admin", "lockdown", "on", "--reason", "incident")).out).toBe("Lockdown is on.\n");
    const status = await as("admin", "lockdown", "status");
    expect(status.out).toMatch(/^Lockdown {2}on\nSince {5}.+\nBy {8}.+\nReason {4}incident\n$/);
    expect((await as("dev", "ask", "read:dev:z", ...why)).err).toContain("(policy_denied)");
    expect((await as("admin", "lockdown", "off", "--reason", "over")).out).toBe("Lockdown is off.\n");
    expect((await as("dev", "lockdown", "on", "--reason", "x")).err).toContain("(missing_role)");
  });

  test("somebody is switched off and on: nothing of theirs lasts, and what ended stays ended", async () => {
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

  test("the audit log is listed, checked, and exported whole", async () => {
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
