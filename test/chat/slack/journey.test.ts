import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { parseScope } from "../../../src/core/values/scopes.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { shownMessage } from "./support/shown-message.ts";
import { buttonsOf, slackId } from "./support/slack-users.ts";
import { openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const scope = assertPresent(parseScope("read:prod:orders-db"), "scope");
const policies = [
  autoPolicy("auto", {
    priority: 1,
    conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }],
  }),
  approvalPolicy("dba", { stages: [stageBy("group:dba")], channels: ["slack:C0DBA"] }),
];
const rules = {
  catalog: [{ name: "Orders database (read)", scopes: [scope], description: "Read replicas" }],
  chatRoles: { admin: emptyRules.chatRoles.admin, auditor: [] },
};

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(policies, rules);
});
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const ask = async (text = "request read:prod:orders-db for 2h because INC-42 the disk is full") => {
  const ack = await harness.command("dev", text);
  expect(ack.status).toBe(200);
  await harness.settle();
  return ack;
};
const idIn = (text: string): string => assertPresent(/jit_[a-z0-9]+/.exec(text)?.[0], "a request id");

describe("the lifecycle of a request in Slack", () => {
  test("form, cards, approval, credential is active, done, credential is inactive", async () => {
    await harness.command("dev", "request");
    await waitFor(() => harness.fake.views.size > 0);
    const form = harness.modal();
    expect(form["title"]).toMatchObject({ text: "Request access" });
    const sent = await harness.submit("dev", form.id, {
      catalog: ["Orders database (read)"],
      duration: "2h",
      reason: "INC-42",
    });
    expect(sent.body["response_action"]).toBe("update");
    await harness.settle();

    const [card] = dm("ann");
    const asked = assertPresent(card, "ann's card");
    expect(buttonsOf(asked)).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await harness.press("ann", asked, "approve");
    await harness.settle();
    for (const name of ["ann", "bob", "cid"]) {
      expect(
        dm(name)
          .filter((one) => one.thread === undefined)
          .map(buttonsOf),
      ).toEqual([["Revoke", "Details"]]);
    }
    expect(
      harness.fake
        .messagesIn("C0DBA")
        .filter((one) => one.thread === undefined)
        .map(buttonsOf),
    ).toEqual([["Revoke", "Details"]]);

    const own = assertPresent(
      dm("dev").find((one) => one.thread === undefined),
      "dev's card",
    );
    expect(buttonsOf(own)).toEqual(["Show credential", "Cancel request"]);
    await harness.press("dev", own, "show_credential");
    await waitFor(() => harness.modals().includes("kd_jit_"));
    const token = assertPresent(/kd_jit_[0-9A-Za-z]{36}/.exec(JSON.stringify(harness.modal()))?.[0], "token");
    expect((await harness.service.services.tokenChecks.introspect(token)).active).toBe(true);
    await harness.settle();
    expect(buttonsOf(own)).toEqual(["Extend", "I'm done", "Replace credential"]);

    await harness.press("dev", own, "done");
    await waitFor(() => harness.fake.responses.length > 0 || buttonsOf(own).length === 0);
    expect((await harness.service.services.tokenChecks.introspect(token)).active).toBe(false);
    await harness.settle();
    expect(buttonsOf(own)).toEqual([]);
    // Only the modal held the secret: no message, log line or audit record has it.
    expect(JSON.stringify([...harness.fake.messages.values()])).not.toContain("kd_jit_");
    expect(harness.log.join("")).not.toContain(token);
    expect(JSON.stringify(await harness.service.audit())).not.toContain(token);
  });

  test("in a channel notes stay in the card's thread; in a private chat they are broadcast too", async () => {
    await ask();
    await harness.press("ann", assertPresent(dm("ann")[0], "ann's card"), "approve");
    await harness.settle();
    const notes = (all: ReturnType<typeof dm>) => all.filter((one) => one.thread !== undefined);
    const inChannel = notes(harness.fake.messagesIn("C0DBA"));
    expect(inChannel.map((one) => one.isBroadcast)).toEqual(inChannel.map(() => false));
    expect(JSON.stringify(inChannel)).toContain("approved");
    const [note] = notes(dm("dev"));
    expect(note).toMatchObject({ thread: dm("dev")[0]?.ts, isBroadcast: true });
  });

  test("a request by text: the confirmation names who was asked, and every approver has a card", async () => {
    const { body } = await ask();
    expect(JSON.stringify(body)).toContain("jit_");
    expect(body["response_type"]).toBe("ephemeral");
    expect(dm("ann")).toHaveLength(1);
    expect(JSON.stringify(dm("dev")[0])).toContain("ann");
  });

  test("an auto-approved request waits for Show credential: no secret is sent unasked", async () => {
    await ask("request read:dev:a for 30m because testing");
    const own = assertPresent(dm("dev")[0], "dev's card");
    expect(buttonsOf(own)).toEqual(["Show credential", "Cancel request"]);
    expect(JSON.stringify([...harness.fake.messages.values(), ...harness.fake.responses])).not.toContain(
      "kd_jit_",
    );
  });

  test("two simultaneous approvals: one decision, all cards current, the other person reads who was first", async () => {
    await ask();
    const [ann, bob] = [assertPresent(dm("ann")[0], "ann"), assertPresent(dm("bob")[0], "bob")];
    await Promise.all([harness.press("ann", ann, "approve"), harness.press("bob", bob, "approve")]);
    await waitFor(() => harness.fake.responses.length > 0);
    await harness.settle();
    const approved = (await harness.service.audit()).filter((one) => one.action === "request.approved");
    expect(approved).toHaveLength(1);
    expect(harness.lastEphemeral()).toMatch(/already approved by (ann|bob)/i);
    for (const name of ["ann", "bob", "cid"])
      expect(buttonsOf(assertPresent(dm(name)[0], name))).toEqual(["Revoke", "Details"]);
  });

  test("a denial needs a reason, which every card shows", async () => {
    await ask();
    await harness.press("ann", assertPresent(dm("ann")[0], "card"), "deny");
    await waitFor(() => harness.fake.views.size > 0);
    const form = harness.modal();
    expect((await harness.submit("ann", form.id, {})).body["response_action"]).toBe("errors");
    await harness.submit("ann", form.id, { words: "not during the freeze" });
    await harness.settle();
    expect(JSON.stringify(dm("dev"))).toContain("not during the freeze");
    expect(
      dm("bob")
        .filter((one) => one.thread === undefined)
        .map(buttonsOf),
    ).toEqual([[]]);
  });

  test("a late press gets the current status and a fresh card, never an error", async () => {
    const { body } = await ask();
    const id = idIn(JSON.stringify(body));
    const stale = structuredClone(assertPresent(dm("bob")[0], "card"));
    await harness.service.services.requestCommands.deny(await harness.service.caller("ann"), id, "no");
    // The relay has not rewritten the card yet.
    const ack = await harness.press("bob", stale, "approve");
    expect(ack.status).toBe(200);
    await waitFor(() => harness.fake.responses.length > 0);
    expect(harness.lastEphemeral()).toMatch(/denied by ann/i);
    expect(buttonsOf(assertPresent(dm("bob")[0], "card"))).toEqual([]);
  });

  test("an ephemeral answer cannot be updated, so it shows everything and has no buttons of a request", async () => {
    const { body } = await ask();
    const id = idIn(JSON.stringify(body));
    for (const [name, text] of [
      ["ann", `status ${id}`],
      ["dev", `status ${id}`],
      ["dev", "list"],
      ["ann", `approve ${id}`],
      ["bob", `approve ${id}`],
    ] as const) {
      const answer = (await harness.command(name, text)).body;
      expect(JSON.stringify(answer)).toMatch(new RegExp(`${id}|Already approved by ann`));
      expect(JSON.stringify(answer)).not.toMatch(/"(?:card|note|account):/);
    }
    expect(JSON.stringify(body)).not.toContain("card:cancel");
    expect(JSON.stringify((await harness.command("ann", `status ${id}`)).body)).toContain(
      "read:prod:orders-db",
    );
  });

  test("Details lists every scope and the whole reason above Approve", async () => {
    const scopes = Array.from({ length: 20 }, (_, at) => `read:prod:${"x".repeat(110)}-${at}`);
    await harness.service.ask("dev", { scopes, reason: "\u200B\u202E".repeat(1_000) });
    await harness.settle();
    const card = assertPresent(dm("ann")[0], "card");
    expect(buttonsOf(card)).toEqual(["Details", "Deny"]);
    await harness.press("ann", card, "details");
    await waitFor(() => harness.fake.views.size > 0);
    const details = harness.modal();
    const shown = shownMessage(details as { readonly blocks: [] } & typeof details);
    const rows = shown.ours.map((row) => row.trim());
    expect(rows.filter((row) => scopes.includes(row))).toEqual(scopes);
    expect(shown.theirs.join("").split("U+202E")).toHaveLength(1_001);
    expect(shown.buttons).toContain("Approve");
    await harness.pressIn("ann", details.id, "approve");
    await waitFor(() => harness.modals().includes("You approved it"));
  });

  test("the App Home shows what there is to decide", async () => {
    await ask();
    expect((await harness.openHome("ann")).status).toBe(200);
    await waitFor(() => harness.fake.views.has(slackId("ann")));
    expect(JSON.stringify(harness.fake.views.get(slackId("ann")))).toContain("Approve");
  });

  test("hostile reasons mention nobody, link nowhere and imitate nothing", async () => {
    await ask(
      "request read:prod:orders-db for 2h because <!channel> <@U0ANN> *Approved* https://evil.example \u202Egnp",
    );
    const all = JSON.stringify([...harness.fake.messages.values()]);
    expect(all).not.toContain("\u202E");
    for (const { text: notified, blocks } of harness.fake.messages.values()) {
      expect(notified).not.toMatch(/<!channel>|<@U/);
      for (const block of blocks) {
        const text = block["text"] as { type: string; text: string } | undefined;
        if (text?.text.includes("evil.example") === true) expect(text.type).toBe("plain_text");
      }
    }
  });

  test("nor do hostile names, tickets, comments and denial reasons, wherever they are shown", async () => {
    const hostile = "<!channel> <@U0ANN> <https://evil.example|click> :white_check_mark: *Approved* `x`";
    const people = harness.people.map((one) => ({ ...one, name: `${one.name} ${hostile}`.slice(0, 100) }));
    await harness.service.configure(policies, rules, people);
    await harness.service.ask("dev", { reason: hostile, ticket: hostile });
    await harness.settle();
    const id = idIn(JSON.stringify(dm("ann")));
    await harness.command("ann", `deny ${id} ${hostile}`);
    await harness.settle();
    for (const name of ["dev", "bob"]) {
      await harness.openHome(name);
      await harness.command(name, `status ${id}`);
      await harness.command(name, "list");
    }
    const shown = JSON.stringify([...harness.fake.messages.values(), ...harness.fake.views.values()]);
    expect(shown).toContain("evil.example");
    // The fake has checked every answer, message and modal.
    expect(harness.fake.broken).toEqual([]);
  });
});
