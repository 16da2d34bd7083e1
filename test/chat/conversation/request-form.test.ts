import { describe, expect, test } from "vitest";
import { createChat } from "../../../src/chat/conversation/chat.ts";
import {
  dialogIds,
  dialogRef,
  parseDialogRef,
  type DialogValues,
} from "../../../src/chat/conversation/dialog.ts";
import { requestForm } from "../../../src/chat/conversation/request-form.ts";
import { createServices } from "../../../src/service/services.ts";
import { refuse } from "../../../src/core/values/refusals.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { cardIn, chatForEach, dialogIn, plain, replyText } from "./support/chat-harness.ts";
import { chatPolicies, chatRules } from "./support/policy-fixtures.ts";

const { chat, caller, harness, run } = chatForEach(chatPolicies, chatRules);

const filled = { scopes: "read:prod:orders-db", duration: "2 hours", reason: "INC-42" };
const submit = async (values: DialogValues, id: "request" | "break_glass" = "request") =>
  chat().submit(await caller("dev"), dialogRef(id), values);
const preview = async (values: DialogValues) =>
  chat().preview(await caller("dev"), dialogRef("request"), values);
const options = async (typed: string) =>
  (await chat().catalogOptions(await caller("dev"), typed)).map((one) => one.label);

describe("the request form", () => {
  test("requests the typed and the picked scopes together", async () => {
    const [option] = await chat().catalogOptions(await caller("dev"), "payments");
    const reply = await submit({ ...filled, catalog: [option?.value ?? ""], ticket: "FIN-1" });
    expect(cardIn(reply).request).toMatchObject({
      scopes: ["read:pay:ledger", "write:pay:ledger", "read:prod:orders-db"],
      duration: "2h",
      ticket: "FIN-1",
    });
  });

  test("reads several picked values from one text, as some platforms send them", async () => {
    const all = await chat().catalogOptions(await caller("dev"), "");
    const picked = all.filter((one) => one.label !== "Playground").map((one) => one.value);
    const reply = await submit({ catalog: picked.join(","), duration: "1h", reason: "x", ticket: "FIN-1" });
    expect(cardIn(reply).request.scopes).toEqual([
      "read:prod:orders-db",
      "read:pay:ledger",
      "write:pay:ledger",
    ]);
  });

  test.each(["clock_behind", "audit_head_differs"] as const)(
    "stays open with the typed text while new access is held back (%s)",
    async (code) => {
      harness().hold(refuse(code, "No new access is given."));
      expect(replyText(await submit(filled))).toContain("catalog: No new access is given.");
      harness().hold(undefined);
      expect(cardIn(await submit(filled)).request.status).toBe("PENDING");
    },
  );

  test.each<[string, DialogValues, string]>([
    ["no access", { duration: "2h", reason: "x" }, "catalog: Pick an access here, or write scopes below."],
    [
      "an access that has gone",
      { ...filled, catalog: ["Gone"] },
      'catalog: "Gone" is not in the catalog any more',
    ],
    ["no scope", { ...filled, scopes: "orders" }, 'scopes: "orders" is no scope'],
    ["too many", { ...filled, scopes: scopes(21) }, "scopes: These are 21 scopes; 20 are the most."],
    ["no time", { ...filled, duration: "" }, "duration: Say for how long"],
    ["a wrong time", { ...filled, duration: "soon" }, "duration: This is no duration."],
    ["no reason", { ...filled, reason: "  " }, "reason: Say why you need it"],
    [
      "a long reason",
      { ...filled, reason: "x".repeat(2_001) },
      "reason: This has 2001 characters; 2000 are the most.",
    ],
    [
      "more than the policy allows",
      { ...filled, duration: "5h" },
      "duration: The policy for this access allows",
    ],
    ["a missing ticket", { ...filled, scopes: "read:pay:ledger" }, "ticket: This access requires a ticket"],
    [
      "what a policy denies",
      { ...filled, scopes: "read:vault" },
      'catalog: The policy "vault" denies read:vault.',
    ],
  ])("with %s shows an error at the field and stays open", async (_, values, message) => {
    const reply = await submit(values);
    expect(reply.kind).toBe("errors");
    expect(replyText(reply)).toContain(message);
    const fields = requestForm().fields.map((field) => field.id);
    if (reply.kind === "errors") for (const { field } of reply.errors) expect(fields).toContain(field);
  });

  test("shows all errors at once", async () => {
    const reply = await submit({});
    expect(replyText(reply).split("\n")).toHaveLength(3);
  });
});

describe("the preview says before submitting", () => {
  test("who will be asked, with the risk", async () => {
    const shown = await preview({ ...filled, reason: "" });
    expect(shown.outcome).toBe("needs_approval");
    expect(plain(shown.lines)).toContain("Needs 1 of 3: ann, bob, cid.");
    expect(plain(shown.lines)).toContain("Risk 40 of 100: production +40");
  });

  test("how soon people usually answer, once there is enough data", async () => {
    for (const minutes of [5, 12, 50]) {
      const asked = await run("dev", "request read:prod:orders-db for 1h because x");
      expect(plain((await preview(filled)).lines)).not.toContain("Usually");
      harness().clock.pass(minutes * minuteMs);
      await run("ann", `deny ${cardIn(asked).request.id} no`);
    }
    expect(plain((await preview(filled)).lines)).toContain("Usually answered in 12 minutes.");
  });

  test("that it will be approved at once", async () => {
    const shown = await preview({ ...filled, scopes: "write:dev:playground" });
    expect(shown).toMatchObject({
      outcome: "auto_approved",
      lines: [["Will be approved at once."], ["Risk ", "0 of 100"]],
    });
  });

  test("that it is not possible, and why", async () => {
    expect(plain((await preview({ ...filled, duration: "6h" })).lines)).toMatch(
      /^Not possible: .*at most 4h/,
    );
  });

  test("nothing while the form is incomplete", async () => {
    expect((await preview({ reason: "x" })).outcome).toBe("incomplete");
  });
});

describe("the catalog", () => {
  test("is searched by every typed word, in names, scopes and descriptions", async () => {
    expect(await options("orders")).toEqual(["Orders database (read)"]);
    expect(await options("READ replicas")).toEqual(["Orders database (read)"]);
    expect(await options("ledger write")).toEqual(["Payments, all of it"]);
    expect(await options("nothing like it")).toEqual([]);
  });

  test("does not offer what a policy denies", async () => {
    expect(await options("")).toEqual(["Orders database (read)", "Payments, all of it", "Playground"]);
  });
});

describe("break-glass", () => {
  test("first says what is recorded, who is alerted and who reviews", async () => {
    const form = dialogIn(await run("dev", "break-glass write:prod:orders-db for 30m because INC-42"));
    const intro = plain(form.intro);
    expect(intro).toContain("slack:C0SECURITY");
    expect(intro).toContain("Recorded for ever");
    expect(intro).toContain("sec, sam judges within 1 day");
    expect(form.fields.find((field) => field.id === "reason")).toMatchObject({ value: "INC-42" });
  });

  test("needs the form, and waits at Show credential", async () => {
    const reply = await submit({ ...filled, duration: "30m" }, "break_glass");
    expect(cardIn(reply)).toMatchObject({ request: { status: "APPROVED", breakGlass: true } });
    expect(JSON.stringify(reply)).not.toContain("kd_jit_");
  });

  test("alerts people before it answers, so before any secret", async () => {
    const alerted: string[] = [];
    const { context, clock } = harness();
    const services = createServices(
      context,
      async (id) => {
        alerted.push(id);
      },
      (fault) => {
        throw fault;
      },
    );
    const { accountLinks, cards } = services;
    const otherChat = createChat({ services, accountLinks, cards, now: clock.now });
    const values = { ...filled, duration: "30m" };
    const reply = await otherChat.submit(await caller("dev"), dialogRef("break_glass"), values);
    expect(alerted).toEqual([cardIn(reply).request.id]);
    await otherChat.run(await caller("dev"), "request write:dev:playground for 1h because trying");
    expect(alerted).toHaveLength(1);
  });

  test("is refused for people whom the configuration does not name", async () => {
    expect(await run("ann", "break-glass")).toMatchObject({
      kind: "refused",
      refusal: { refused: "break_glass_not_allowed" },
    });
  });
});

test("every form keeps the limits of the platforms, and its reference survives JSON", async () => {
  const forms = [requestForm(), dialogIn(await run("dev", "break-glass"))];
  for (const form of forms) {
    expect(form.title.length).toBeLessThanOrEqual(24);
    expect(form.submitLabel.length).toBeLessThanOrEqual(24);
    for (const field of form.fields) expect(field.label.length).toBeLessThanOrEqual(48);
  }
  const account = { surface: "teams", team: "t".repeat(36), user: "u".repeat(36) } as const;
  for (const id of dialogIds) {
    const ref = dialogRef(id, { requestId: "jit_1", revision: "r", account });
    expect(parseDialogRef(JSON.stringify(ref))).toEqual(ref);
  }
  for (const text of [
    "",
    "{}",
    "null",
    '{"id":"deny"}',
    '{"id":"nope","requestId":null,"revision":null,"account":null}',
  ]) {
    expect(parseDialogRef(text)).toBeUndefined();
  }
});

function scopes(count: number): string {
  return Array.from({ length: count }, (_, index) => `read:prod:db${index}`).join(" ");
}
