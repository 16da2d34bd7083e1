import { beforeEach, describe, expect, test } from "vitest";
import { dialogRef, type DialogId, type DialogValues } from "../../../src/chat/conversation/dialog.ts";
import type { Reply } from "../../../src/chat/conversation/reply.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import { cardText } from "../../../src/wording/card-text.ts";
import { cardIn, chatForEach, dialogIn, plain, replyText } from "./support/chat-harness.ts";
import { chatPolicies, chatRules } from "./support/policy-fixtures.ts";

const { harness, chat, cardBuilds, caller, run, press, asked } = chatForEach(chatPolicies, chatRules);

const send = async (
  name: string,
  id: DialogId,
  requestId: string,
  values: DialogValues,
  revision: string | null = null,
): Promise<Reply> => chat().submit(await caller(name), dialogRef(id, { requestId, revision }), values);

const approved = async (): Promise<string> => {
  const id = await asked("dev");
  await press("ann", "approve", id);
  return id;
};
const active = async (): Promise<{ readonly id: string; readonly token: string }> => {
  const id = await approved();
  return { id, token: tokenIn(await press("dev", "show_credential", id)) };
};
const isActive = async (token: string) => (await harness().services.tokenChecks.introspect(token)).active;

function tokenIn(reply: Reply): string {
  if (reply.kind !== "credential") throw new Error(`no credential in ${JSON.stringify(reply)}`);
  return reply.credential.token;
}

test("request, approve, show, use and end access without leaving chat", async () => {
  const { id, token } = await active();
  expect(await isActive(token)).toBe(true);
  const over = await press("dev", "done", id);
  expect(cardIn(over)).toMatchObject({ request: { status: "COMPLETED" }, actions: [] });
  expect(await isActive(token)).toBe(false);
});

describe("the credential", () => {
  test("is shown once, to the requester only", async () => {
    const id = await approved();
    expect(await press("ann", "show_credential", id)).toMatchObject({
      refusal: { refused: "not_requester" },
    });
    tokenIn(await press("dev", "show_credential", id));
    const again = await press("dev", "show_credential", id);
    expect(again).toMatchObject({ kind: "refused", refusal: { refused: "already_claimed" } });
    expect(replyText(again)).toContain("press Replace credential");
  });

  test("is replaced, and the old one stops working immediately", async () => {
    const { id, token } = await active();
    const fresh = tokenIn(await press("dev", "replace_credential", id));
    expect([await isActive(token), await isActive(fresh)]).toEqual([false, true]);
  });

  test("is in no other reply", async () => {
    const { id, token } = await active();
    const replies = [
      await run("dev", `status ${id}`),
      await run("dev", "home"),
      await run("dev", "list"),
      await press("ann", "details", id),
      await press("dev", "done", id),
    ];
    expect(JSON.stringify(replies)).not.toContain(token);
  });
});

describe("a press is decided from the stored state, whatever the card showed", () => {
  test("approving an older revision is refused, with the current card", async () => {
    const id = await asked("dev");
    const reply = await press("ann", "approve", id, "an older revision");
    expect(reply).toMatchObject({ kind: "refused", refusal: { refused: "request_changed" } });
    expect(cardIn(reply).request.status).toBe("PENDING");
  });

  test("a form for an action that is no longer possible is not opened: the current status is shown", async () => {
    const id = await approved();
    const late = await press("bob", "deny", id);
    expect(replyText(late)).toMatch(/^Nothing was changed\. Current status: Approved by ann/);
  });

  test("requesters get no form to decide their own request", async () => {
    const id = await asked("dev");
    for (const action of ["deny", "approve_for_less"] as const) {
      expect(await press("dev", action, id)).toMatchObject({ refusal: { refused: "self_approval" } });
    }
    expect(await press("dev", "approve", id)).toMatchObject({ refusal: { refused: "self_approval" } });
  });

  test("a person without a part in the request is refused at a channel's card, and that is recorded", async () => {
    const id = await asked("dev");
    expect(await press("lead", "deny", id)).toMatchObject({ kind: "refused", card: null });
    expect(await press("lead", "approve", id)).toMatchObject({ refusal: { refused: "not_an_approver" } });
    const records = (await harness().audit()).filter((one) => one.action === "decision.refused");
    expect(records).toHaveLength(2);
  });
});

describe("a request of high risk", () => {
  beforeEach(async () => {
    const risk = [{ name: "production", points: 80, when: [] }];
    await harness().configure(chatPolicies(), { ...chatRules, risk });
  });

  test("needs a second press, below every scope and the whole reason", async () => {
    const id = await asked("dev");
    const form = dialogIn(await press("ann", "approve", id));
    expect(plain(form.intro)).toContain("This is high risk: 80 of 100");
    expect(form.decided).toMatchObject({
      access: { scopes: ["read:prod:orders-db"] },
      reason: { text: "INC-42" },
    });
    expect((await harness().audit()).map((one) => one.action)).not.toContain("approval.given");
    expect(await send("ann", "approve", id, {}, "older")).toMatchObject({
      refusal: { refused: "request_changed" },
    });
    const reply = await send("ann", "approve", id, { words: "with care" }, form.ref.revision);
    expect(cardIn(reply).request.status).toBe("APPROVED");
  });

  test("is refused at the first press for people who may not decide it", async () => {
    const id = await asked("dev");
    expect(await press("dev", "approve", id)).toMatchObject({ refusal: { refused: "self_approval" } });
    expect(await press("lead", "approve", id)).toMatchObject({ refusal: { refused: "not_an_approver" } });
    expect(await press("ann", "approve", id, "older")).toMatchObject({
      refusal: { refused: "request_changed" },
    });
  });
});

test.each(["approve_for_less", "justified", "not_justified"] as const)(
  "the form to %s shows every scope and the whole reason",
  async (action) => {
    const values = { scopes: "write:prod:orders-db read:prod:b", duration: "30m", reason: "INC-42" };
    const isReview = action !== "approve_for_less";
    const form = dialogRef(isReview ? "break_glass" : "request");
    const { id } = cardIn(await chat().submit(await caller("dev"), form, values)).request;
    if (isReview) await press("dev", "show_credential", id);
    expect(dialogIn(await press(isReview ? "sec" : "ann", action, id)).decided).toMatchObject({
      access: { scopes: ["write:prod:orders-db", "read:prod:b"] },
      reason: { text: "INC-42" },
    });
  },
);

describe("forms that decide", () => {
  test("deny needs a reason, and the requester gets it", async () => {
    const id = await asked("dev");
    expect(dialogIn(await press("ann", "deny", id))).toMatchObject({ title: "Deny", submitLabel: "Deny" });
    expect(replyText(await send("ann", "deny", id, { words: " " }))).toBe(
      "words: Say why: the requester reads it.",
    );
    expect(cardIn(await send("ann", "deny", id, { words: "use the replica" })).request.status).toBe("DENIED");
    expect(await send("bob", "deny", id, { words: "no" })).toMatchObject({
      refusal: { refused: "already_decided" },
    });
  });

  test("approve for less keeps the revision its reader saw, and shows a too long duration at the field", async () => {
    const id = await asked("dev");
    const { ref } = dialogIn(await press("ann", "approve_for_less", id));
    expect(replyText(await send("ann", "approve_for_less", id, { duration: "9h" }, ref.revision))).toMatch(
      /^duration: /,
    );
    expect(await send("ann", "approve_for_less", id, { duration: "1h" }, "older")).toMatchObject({
      refusal: { refused: "request_changed" },
    });
    const reply = await send(
      "ann",
      "approve_for_less",
      id,
      { duration: "1 hour", words: "enough" },
      ref.revision,
    );
    expect(cardIn(reply).request).toMatchObject({ status: "APPROVED", grantedDuration: "1h" });
  });

  test("extend requests more time, and the access continues", async () => {
    const { id, token } = await active();
    expect(plain(dialogIn(await press("dev", "extend", id)).intro)).toContain("It ends ");
    const errors = await send("dev", "extend", id, { duration: "soon" });
    expect(replyText(errors).split("\n")).toHaveLength(2);
    expect(replyText(await send("dev", "extend", id, { duration: "3h", words: "restore" }))).toMatch(
      /^duration: .*at most 4h/,
    );
    const child = await send("dev", "extend", id, { duration: "1h", words: "restore" });
    expect(cardIn(child).request).toMatchObject({ status: "PENDING", extends: id });
    await press("ann", "approve", cardIn(child).request.id);
    harness().clock.pass(2.5 * hourMs);
    expect(await isActive(token)).toBe(true);
  });

  test("revoke ends access at once, and its holder cannot use it", async () => {
    const { id, token } = await active();
    expect(await press("dev", "revoke", id)).toMatchObject({ refusal: { refused: "not_an_approver" } });
    dialogIn(await press("ann", "revoke", id));
    expect(cardIn(await send("ann", "revoke", id, { words: "incident over" })).request.status).toBe(
      "REVOKED",
    );
    expect(await isActive(token)).toBe(false);
  });

  test("break-glass access is judged by a reviewer, never by the person who used it", async () => {
    const values = { scopes: "write:prod:orders-db", duration: "30m", reason: "INC-42" };
    const taken = await chat().submit(await caller("dev"), dialogRef("break_glass"), values);
    const { id } = cardIn(taken).request;
    const token = tokenIn(await press("dev", "show_credential", id));
    expect(await press("dev", "justified", id)).toMatchObject({ refusal: { refused: "not_a_reviewer" } });
    expect(plain(dialogIn(await press("sec", "not_justified", id)).intro)).toContain("It ends at once");
    await send("sec", "not_justified", id, { words: "no incident" });
    expect(await isActive(token)).toBe(false);
  });
});

describe("one press builds one card", () => {
  const approve = async (points: number): Promise<number> => {
    const risk = [{ name: "production", points, when: [] }];
    await harness().configure(chatPolicies(), { ...chatRules, risk });
    const id = await asked("dev");
    const revision = (await harness().services.cards.cardFor(id, "channel", null))?.request.revision;
    cardBuilds().take();
    await press("ann", "approve", id, revision);
    return cardBuilds().take();
  };

  test("an approval, and one that needs a confirmation", async () => {
    expect([await approve(40), await approve(80)]).toEqual([1, 1]);
  });

  test("a form that is not opened, because its reader may not use it or is too late", async () => {
    const id = await approved();
    cardBuilds().take();
    await press("dev", "deny", id);
    expect(cardBuilds().take()).toBe(1);
    await press("bob", "deny", id);
    expect(cardBuilds().take()).toBe(1);
  });
});

test("details name every approver, the policy and the votes", async () => {
  const id = await asked("dev");
  await run("ann", `approve ${id} because fine`);
  const reply = await press("ann", "details", id);
  expect(replyText(reply)).toMatch(/Stage 1: ann approved 20/);
  expect(cardText(cardIn(reply)).quotations).toEqual([{ label: "Comment", text: "ann: fine" }]);
  expect(replyText(reply)).toContain('Policy "production" governs read:prod:orders-db');
});

test("an administrator links an account with one press, or names its owner", async () => {
  const account = { surface: "slack", team: "T0123", user: "U0NEW" } as const;
  const admin = await caller("cto", "requester", "approver", "admin");
  const form = dialogIn(await chat().link(admin, account, null));
  expect(form.ref.account).toEqual(account);
  const wrong = await chat().submit(admin, form.ref, { identity: "nobody@company.com" });
  expect(replyText(wrong)).toMatch(/^identity: /);
  expect(replyText(await chat().submit(admin, form.ref, { identity: "ann@company.com" }))).toBe(
    "Linked to ann (id_ann).",
  );
  expect(replyText(await chat().link(admin, account, "id_ann"))).toBe("Linked to ann (id_ann).");
  expect(await chat().link(admin, account, "id_bob")).toMatchObject({ refusal: { refused: "name_taken" } });
  expect(await chat().link(await caller("ann"), account, "id_ann")).toMatchObject({
    refusal: { refused: "missing_role" },
  });
});
