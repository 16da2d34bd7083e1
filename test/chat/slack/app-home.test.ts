import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { parseScope } from "../../../src/core/values/scopes.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { buttonsOf, slackId } from "./support/slack-users.ts";
import { idOf, openSlackHarness, waitFor, type SlackHarness } from "./support/slack-harness.ts";

const policies = [
  autoPolicy("auto", {
    priority: 1,
    conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }],
  }),
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
];
const scope = (text: string) => assertPresent(parseScope(text), text);
const catalog = Array.from({ length: 120 }, (_, index) => ({
  name: `Orders database ${index} & <reports>`,
  scopes: [scope(`read:prod:orders-${index}`)],
  description: "Read replicas, reports, and whatever else there is to be read of the orders of all countries",
}));

let harness: SlackHarness;
beforeEach(async () => {
  harness = await openSlackHarness(policies, {
    catalog,
    chatRoles: { admin: [{ kind: "identity", id: idOf("cto") }], auditor: [] },
  });
});
afterEach(async () => {
  await harness.close();
});

const dm = (name: string) => harness.fake.messagesIn(harness.fake.dmOf(slackId(name)));
const homeOf = (name: string) => JSON.stringify(harness.fake.views.get(slackId(name)) ?? {});
const openHome = async (name: string) => {
  await harness.openHome(name);
  await waitFor(() => harness.fake.views.has(slackId(name)));
};
const ask = async (name = "dev", what = "read:prod:orders-db for 2h because INC-42") => {
  await harness.command(name, `request ${what}`);
  await harness.settle();
};

describe("App Home", () => {
  test("a decision in the App Home: a modal shows the result, and the home is updated", async () => {
    await ask();
    await openHome("ann");
    expect(homeOf("ann")).toContain("Approve");
    await harness.pressIn("ann", slackId("ann"), "approve");
    await waitFor(() => harness.modals().includes("You approved it"));
    await waitFor(() => homeOf("ann").includes("Nothing waits for you."));
    expect((await harness.service.audit()).map((one) => one.action)).toContain("request.approved");
  });

  test("an open home is updated after other people's actions", async () => {
    await openHome("ann");
    expect(homeOf("ann")).toContain("Nothing waits for you.");
    await ask();
    await waitFor(() => homeOf("ann").includes("Approve"));
    await harness.press("bob", assertPresent(dm("bob")[0], "bob's card"), "approve");
    await harness.settle();
    await waitFor(() => homeOf("ann").includes("Nothing waits for you."));
  });

  test("Show credential in the App Home opens a modal, and the home offers the next actions", async () => {
    await ask("dev", "read:dev:a for 30m because testing");
    await openHome("dev");
    await harness.pressIn("dev", slackId("dev"), "show_credential");
    await waitFor(() => harness.modals().includes("kd_jit_"));
    expect(homeOf("dev")).not.toContain("kd_jit_");
    await harness.settle();
    await waitFor(() => homeOf("dev").includes("I'm done"));
  });

  test("a person without a linked account can only ask to be linked there", async () => {
    await openHome("sam");
    expect(homeOf("sam")).toContain("Ask to be linked");
    await harness.pressIn("sam", slackId("sam"), "ask_for_link");
    await waitFor(() => harness.modals().includes("asked to link you"));
    await harness.settle();
    expect(buttonsOf(assertPresent(dm("cto")[0], "cto's card"))).toEqual(["Link", "Link to somebody else…"]);
  });

  test("a person of another workspace is refused, without a button", async () => {
    harness.fake.members.set(slackId("dev"), { team_id: "T0OTHER" });
    await openHome("dev");
    expect(homeOf("dev")).toContain("Only full members");
    expect(homeOf("dev")).not.toContain('"button"');
  });
});

describe("the request form", () => {
  const open = async () => {
    await harness.command("dev", "request");
    await waitFor(() => [...harness.fake.views.keys()].some((id) => id.startsWith("V")));
    return harness.modal().id;
  };

  test("finds at most a hundred catalog entries by typing, and looks up the sender at Slack once", async () => {
    await open();
    harness.fake.calls.length = 0;
    const found = await Promise.all(
      ["", "o", "or", "ord", "orders database 7"].map(async (typed) => harness.suggest("dev", typed)),
    );
    const options = found.map((one) => (one.body["options"] as readonly object[]).length);
    expect(options[0]).toBe(100);
    expect(options[4]).toBeLessThan(100);
    for (const typed of ["1", "2", "3"]) await harness.suggest("dev", typed);
    expect(harness.fake.calls.filter((one) => one.method === "users.info").length).toBeLessThanOrEqual(5);
    harness.fake.calls.length = 0;
    await harness.suggest("dev", "orders");
    expect(harness.fake.calls).toEqual([]);
  });

  test("shows while one types who will be asked, or that it is auto-approved; typed values stay", async () => {
    const form = await open();
    await harness.type("dev", form, { scopes: "read:prod:orders-db", duration: "2h" });
    await waitFor(() => harness.modals().includes("Needs 1 of 3"));
    expect(JSON.stringify(harness.modal())).toContain('"initial_value":"2h"');
    await harness.type("dev", form, { scopes: "read:dev:a", duration: "30m" });
    await waitFor(() => harness.modals().includes("Will be approved at once."));
  });

  test("fast typing causes one dry run of the final values; picked entries stay picked", async () => {
    const form = await open();
    harness.fake.calls.length = 0;
    const picked = { catalog: ["Orders database 7 & <reports>"] };
    await Promise.all(
      ["1", "12", "120", "120m"].map((duration) => harness.type("dev", form, { ...picked, duration })),
    );
    await waitFor(() => harness.modals().includes("Needs 1 of 3"));
    expect(harness.fake.calls.filter((one) => one.method === "views.update")).toHaveLength(1);
    expect(harness.modals()).toContain('"initial_value":"120m"');
    expect(harness.modals()).toContain('"value":"Orders database 7 & <reports>"');
  });

  test("shows errors at the field and keeps the modal open", async () => {
    const form = await open();
    const answer = await harness.submit("dev", form, {
      scopes: "read:prod:orders-db",
      duration: "soon",
      reason: "INC-42",
    });
    expect(answer.body).toMatchObject({
      response_action: "errors",
      errors: { duration: expect.stringContaining("no duration") },
    });
  });
});

describe("long content stays within Slack's limits", () => {
  test("ten open requests in a list, which has no buttons of the requests", async () => {
    for (let index = 0; index < 12; index++)
      await ask("dev", `read:prod:db-${index} for 2h because INC-${index}`);
    const { body } = await harness.command("dev", "list");
    const blocks = body["blocks"] as readonly { readonly type: string }[];
    expect(blocks.filter((one) => one.type === "context")).toHaveLength(10);
    expect(blocks.filter((one) => one.type === "actions")).toEqual([]);
    await harness.command("dev", "home");
    await waitFor(() => harness.modals().includes("Pending"));
    await openHome("dev");
  });

  test("twenty scopes and the longest reason, full of characters to escape", async () => {
    const scopes = Array.from(
      { length: 20 },
      (_, index) => `read:prod:${"a-very-long-name-".repeat(5)}${index}`,
    );
    const ack = await harness.service.ask("dev", { scopes, reason: "<&>".repeat(600) });
    expect(ack).toHaveProperty("request");
    await harness.settle();
    expect(dm("ann")).toHaveLength(1);
    expect(dm("dev").length).toBeGreaterThan(0);
  });
});
