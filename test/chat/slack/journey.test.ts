import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { present } from "../../../src/core/values/assert.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { parseScope } from "../../../src/core/values/scopes.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { shownMessage } from "./support/shown-message.ts";
import { buttonsOf, slackId } from "./support/slack-harness-factory.ts";
import { openSlackHouse, waitFor, type SlackHouse } from "./support/slack-harness.ts";

const scope = present(parseScope("read:prod:orders-db"), "scope");
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

let house: SlackHouse;
beforeEach(async () => {
  house = await openSlackHouse(policies, rules);
});
afterEach(async () => {
  await house.close();
});

const dm = (name: string) => house.fake.messagesIn(house.fake.dmOf(slackId(name)));
const ask = async (text = "request read:prod:orders-db for 2h because INC-42 the disk is full") => {
  const ack = await house.command("dev", text);
  expect(ack.status).toBe(200);
  await house.settle();
  return ack;
};
const idIn = (text: string): string => present(/jit_[a-z0-9]+/.exec(text)?.[0], "a request id");

describe("the whole job in Slack", () => {
  test("form → cards → approve → show → the check says yes → done → the check says no", async () => {
    await house.command("dev", "request");
    await waitFor(() => house.fake.views.size > 0);
    const form = house.modal();
    expect(form["title"]).toMatchObject({ text: "Request access" });
    const sent = await house.submit("dev", form.id, {
      catalog: ["Orders database (read)"],
      duration: "2h",
      reason: "INC-42",
    });
    expect(sent.body["response_action"]).toBe("update");
    await house.settle();

    const [card] = dm("ann");
    const asked = present(card, "ann's card");
    expect(buttonsOf(asked)).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await house.press("ann", asked, "approve");
    await house.settle();
    for (const name of ["ann", "bob", "cid"]) {
      expect(
        dm(name)
          .filter((one) => one.thread === undefined)
          .map(buttonsOf),
      ).toEqual([["Revoke", "Details"]]);
    }
    expect(
      house.fake
        .messagesIn("C0DBA")
        .filter((one) => one.thread === undefined)
        .map(buttonsOf),
    ).toEqual([["Revoke", "Details"]]);

    const own = present(
      dm("dev").find((one) => one.thread === undefined),
      "dev's card",
    );
    expect(buttonsOf(own)).toEqual(["Show credential", "Cancel request"]);
    await house.press("dev", own, "show_credential");
    await waitFor(() => house.windows().includes("kd_jit_"));
    const token = present(/kd_jit_[0-9A-Za-z]{36}/.exec(JSON.stringify(house.modal()))?.[0], "token");
    expect((await house.office.services.checking.introspect(token)).active).toBe(true);
    await house.settle();
    expect(buttonsOf(own)).toEqual(["Extend", "I'm done", "Replace credential"]);

    await house.press("dev", own, "done");
    await waitFor(() => house.fake.responses.length > 0 || buttonsOf(own).length === 0);
    expect((await house.office.services.checking.introspect(token)).active).toBe(false);
    await house.settle();
    expect(buttonsOf(own)).toEqual([]);
    // The secret was in the modal alone: no message, no log, no record holds it.
    expect(JSON.stringify([...house.fake.messages.values()])).not.toContain("kd_jit_");
    expect(house.log.join("")).not.toContain(token);
    expect(JSON.stringify(await house.office.audit())).not.toContain(token);
  });

  test("a channel's thread is the trail below its card; to a person each note is news of its own", async () => {
    await ask();
    await house.press("ann", present(dm("ann")[0], "ann's card"), "approve");
    await house.settle();
    const notes = (all: ReturnType<typeof dm>) => all.filter((one) => one.thread !== undefined);
    const trail = notes(house.fake.messagesIn("C0DBA"));
    expect(trail.map((one) => one.isBroadcast)).toEqual(trail.map(() => false));
    expect(JSON.stringify(trail)).toContain("approved");
    const [news] = notes(dm("dev"));
    expect(news).toMatchObject({ thread: dm("dev")[0]?.ts, isBroadcast: true });
  });

  test("asked by text: a confirmation that names who was asked, and every approver has a card", async () => {
    const { body } = await ask();
    expect(JSON.stringify(body)).toContain("jit_");
    expect(body["response_type"]).toBe("ephemeral");
    expect(dm("ann")).toHaveLength(1);
    expect(JSON.stringify(dm("dev")[0])).toContain("ann");
  });

  test("what is approved by itself stops at Show credential too: no secret comes unasked", async () => {
    await ask("request read:dev:a for 30m because testing");
    const own = present(dm("dev")[0], "dev's card");
    expect(buttonsOf(own)).toEqual(["Show credential", "Cancel request"]);
    expect(JSON.stringify([...house.fake.messages.values(), ...house.fake.responses])).not.toContain(
      "kd_jit_",
    );
  });

  test("two approvers at the same moment: one decision, every copy true, the other is told by whom", async () => {
    await ask();
    const [ann, bob] = [present(dm("ann")[0], "ann"), present(dm("bob")[0], "bob")];
    await Promise.all([house.press("ann", ann, "approve"), house.press("bob", bob, "approve")]);
    await waitFor(() => house.fake.responses.length > 0);
    await house.settle();
    const approved = (await house.office.audit()).filter((one) => one.action === "request.approved");
    expect(approved).toHaveLength(1);
    expect(house.lastWhisper()).toMatch(/already approved by (ann|bob)/i);
    for (const name of ["ann", "bob", "cid"])
      expect(buttonsOf(present(dm(name)[0], name))).toEqual(["Revoke", "Details"]);
  });

  test("a denial needs a reason, and says it everywhere", async () => {
    await ask();
    await house.press("ann", present(dm("ann")[0], "card"), "deny");
    await waitFor(() => house.fake.views.size > 0);
    const form = house.modal();
    expect((await house.submit("ann", form.id, {})).body["response_action"]).toBe("errors");
    await house.submit("ann", form.id, { words: "not during the freeze" });
    await house.settle();
    expect(JSON.stringify(dm("dev"))).toContain("not during the freeze");
    expect(
      dm("bob")
        .filter((one) => one.thread === undefined)
        .map(buttonsOf),
    ).toEqual([[]]);
  });

  test("a late press gets the truth and a fresh card, never an error", async () => {
    const { body } = await ask();
    const id = idIn(JSON.stringify(body));
    const stale = structuredClone(present(dm("bob")[0], "card"));
    await house.office.services.desk.deny(await house.office.caller("ann"), id, "no");
    // The rewrite has not gone out yet.
    const ack = await house.press("bob", stale, "approve");
    expect(ack.status).toBe(200);
    await waitFor(() => house.fake.responses.length > 0);
    expect(house.lastWhisper()).toMatch(/denied by ann/i);
    expect(buttonsOf(present(dm("bob")[0], "card"))).toEqual([]);
  });

  test("an answer disappears by itself and cannot be changed, so it shows all and has no button of a request", async () => {
    const { body } = await ask();
    const id = idIn(JSON.stringify(body));
    for (const [name, text] of [
      ["ann", `status ${id}`],
      ["dev", `status ${id}`],
      ["dev", "list"],
      ["ann", `approve ${id}`],
      ["bob", `approve ${id}`],
    ] as const) {
      const answer = (await house.command(name, text)).body;
      expect(JSON.stringify(answer)).toMatch(new RegExp(`${id}|Already approved by ann`));
      expect(JSON.stringify(answer)).not.toMatch(/"(?:card|note|account):/);
    }
    expect(JSON.stringify(body)).not.toContain("card:cancel");
    expect(JSON.stringify((await house.command("ann", `status ${id}`)).body)).toContain(
      "read:prod:orders-db",
    );
  });

  test("Details lists every scope and the whole reason before it offers Approve, and approves what it lists", async () => {
    const scopes = Array.from({ length: 20 }, (_, at) => `read:prod:${"x".repeat(110)}-${at}`);
    await house.office.ask("dev", { scopes, reason: "\u200B\u202E".repeat(1_000) });
    await house.settle();
    const card = present(dm("ann")[0], "card");
    expect(buttonsOf(card)).toEqual(["Details", "Deny"]);
    await house.press("ann", card, "details");
    await waitFor(() => house.fake.views.size > 0);
    const details = house.modal();
    const shown = shownMessage(details as { readonly blocks: [] } & typeof details);
    const rows = shown.ours.map((row) => row.trim());
    expect(rows.filter((row) => scopes.includes(row))).toEqual(scopes);
    expect(shown.theirs.join("").split("U+202E")).toHaveLength(1_001);
    expect(shown.buttons).toContain("Approve");
    await house.pressIn("ann", details.id, "approve");
    await waitFor(() => house.windows().includes("You approved it"));
  });

  test("the home shows what there is to decide and what one has", async () => {
    await ask();
    expect((await house.openHome("ann")).status).toBe(200);
    await waitFor(() => house.fake.views.has(slackId("ann")));
    expect(JSON.stringify(house.fake.views.get(slackId("ann")))).toContain("Approve");
  });

  test("hostile words ping nobody, link nowhere and imitate nothing", async () => {
    await ask(
      "request read:prod:orders-db for 2h because <!channel> <@U0ANN> *Approved* https://evil.example \u202Egnp",
    );
    const all = JSON.stringify([...house.fake.messages.values()]);
    expect(all).not.toContain("\u202E");
    for (const { text: notified, blocks } of house.fake.messages.values()) {
      expect(notified).not.toMatch(/<!channel>|<@U/);
      for (const block of blocks) {
        const text = block["text"] as { type: string; text: string } | undefined;
        if (text?.text.includes("evil.example") === true) expect(text.type).toBe("plain_text");
      }
    }
  });

  test("nor do hostile names, tickets, comments and reasons of a denial, wherever they are shown", async () => {
    const hostile = "<!channel> <@U0ANN> <https://evil.example|click> :white_check_mark: *Approved* `x`";
    const people = house.people.map((one) => ({ ...one, name: `${one.name} ${hostile}`.slice(0, 100) }));
    await house.office.configure(policies, rules, people);
    await house.office.ask("dev", { reason: hostile, ticket: hostile });
    await house.settle();
    const id = idIn(JSON.stringify(dm("ann")));
    await house.command("ann", `deny ${id} ${hostile}`);
    await house.settle();
    for (const name of ["dev", "bob"]) {
      await house.openHome(name);
      await house.command(name, `status ${id}`);
      await house.command(name, "list");
    }
    const shown = JSON.stringify([...house.fake.messages.values(), ...house.fake.views.values()]);
    expect(shown).toContain("evil.example");
    // Every answer, message and window was looked through by the fake.
    expect(house.fake.broken).toEqual([]);
  });
});
