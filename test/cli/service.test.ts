import { describe, expect, test } from "vitest";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { createCliHarness, why } from "./support/api-harness.ts";

leavesNothingBehind();

const { program, as, json, askFor } = createCliHarness();
const tokenLine = /^Token +(kd_jit_[0-9A-Za-z]{36})$/m;

test("whoami shows the owner of the key", async () => {
  const { code, out } = await as("dev", "whoami");
  expect(code).toBe(0);
  expect(out).toMatch(/^Identity +id_dev$/m);
});

describe("from request to completion", () => {
  test("auto-approved access comes with its token, which works until done", async () => {
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

  test("access that people decide: requested, listed, approved for less, waited for, claimed", async () => {
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

  test("--token-only submits, waits and claims in one command", async () => {
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

  test("submitted by an administrator for somebody, who alone gets the token", async () => {
    const asking = ["ask", "read:dev:for-eve", ...why, "--as", "id_eve"];
    const { id, status } = await json("admin", ...asking);
    expect(status).toBe("APPROVED");
    expect((await as("admin", "claim", id)).code).toBe(1);
    expect((await as("eve", "claim", id)).out).toMatch(tokenLine);
    expect((await as("dev", ...asking)).err).toContain("(not_self)");
  });

  test("break-glass is granted at once and reviewed afterwards", async () => {
    const { id } = await json("oncall", "ask", "read:db:fire", ...why, "--break-glass");
    const statusListed = async () => (await as("sec", "list", "--scope", "read:db:fire")).out;
    const toReview = await json("sec", "list", "--reviewer-me");
    expect(toReview.data.map((one: { readonly id: string }) => one.id)).toContain(id);
    expect((await json("ann", "list", "--reviewer-me")).data).toEqual([]);
    expect(await statusListed()).toMatch(new RegExp(`^${id} +ACTIVE, break-glass, review due `, "m"));
    const judged = await as("sec", "review", id, "--unjustified", "--comment", "no fire");
    expect(judged.out).toMatch(/^Status +REVOKED, break-glass$/m);
    expect(await statusListed()).toMatch(new RegExp(`^${id} +REVOKED, break-glass `, "m"));
    expect(judged.out).toMatch(/^Review +unjustified by Sec "no fire"$/m);
  });

  test("an approval of what has changed since is refused", async () => {
    const id = await askFor("two");
    const { revision } = await json("ann", "status", id);
    expect((await as("ann", "approve", id, "--revision", "other")).err).toContain("(request_changed)");
    expect(await json("ann", "approve", id, "--revision", revision)).toMatchObject({ status: "PENDING" });
  });
});

describe("reading", () => {
  test("lists continue page by page", async () => {
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

  test("the catalog names what may be requested, and the outcome", async () => {
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

  test("why --break-glass says whether it is allowed, and starts nothing", async () => {
    const { code, out } = await as("admin", "why", "read:two:x", "--break-glass", "--as", "id_sam");
    expect([code, out]).toEqual([0, expect.stringMatching(/^BREAK_GLASS\nNobody approves it: /)]);
    expect(out).not.toContain("To be claimed");
    const refused = await as("dev", "why", "read:two:x", "--break-glass");
    expect([refused.code, refused.out]).toEqual([1, expect.stringContaining("(break_glass_not_allowed)")]);
    expect((await json("admin", "list", "--identity", "id_sam")).data).toEqual([]);
  });

  test("why exits 1 for what would be refused", async () => {
    const { code, out } = await as("dev", "why", "read:no:x", "--for", "30m");
    expect(code).toBe(1);
    expect(out).toMatch(/^REFUSED: The policy "denied no:" denies read:no:x\. \(policy_denied\)$/m);
  });
});
