import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createChat } from "../../../src/chat/conversation/chat.ts";
import { commandNames } from "../../../src/wording/parse-command.ts";
import { StoreUnavailable } from "../../../src/service/ports/store.ts";
import { cardIn, chatForEach, dialogIn, plain, replyText } from "./support/chat-harness.ts";
import { denyPolicy } from "../../core/support/policies.ts";
import { chatPolicies, chatRules } from "./support/policy-fixtures.ts";

const { harness, chat, caller, run, asked } = chatForEach(chatPolicies, chatRules);

describe("requesting by text", () => {
  test("submits at once when nothing is missing, and says who was asked until when", async () => {
    const reply = await run("dev", "request read:prod:orders-db for 2h because INC-42");
    expect(cardIn(reply)).toMatchObject({
      audience: "requester",
      request: { status: "PENDING", reason: "INC-42", duration: "2h", scopes: ["read:prod:orders-db"] },
    });
    expect(replyText(reply)).toMatch(/^Asked: ann, bob, cid, until 20.*Z\. /);
  });

  test("opens the form with the typed values when something is missing", async () => {
    const form = dialogIn(await run("dev", "request read:prod:orders-db because INC-42"));
    const typed = form.fields.flatMap((field) => (field.kind === "text" ? [[field.id, field.value]] : []));
    expect(Object.fromEntries(typed)).toEqual({
      scopes: "read:prod:orders-db",
      duration: "",
      reason: "INC-42",
      ticket: "",
    });
    expect(form.ref.id).toBe("request");
    expect(dialogIn(await run("dev", "request")).hasPreview).toBe(true);
  });

  test("opens the form when the policy requires a ticket, and says so", async () => {
    const form = dialogIn(await run("dev", "request read:pay:ledger for 1h because audit"));
    expect(plain(form.intro)).toContain("requires a ticket");
    expect(await run("dev", "request read:pay:ledger for 1h because audit ticket FIN-1")).toMatchObject({
      kind: "card",
    });
  });

  test("a second request for the same shows the first one", async () => {
    const id = await asked("dev");
    const again = await run("dev", "request read:prod:orders-db for 1h because again");
    expect(again).toMatchObject({ kind: "refused", card: { request: { id } } });
    expect(replyText(again)).toContain(`/jit status ${id}`);
  });

  test("an auto-approved request waits for Show credential: no secret is sent unasked", async () => {
    const reply = await run("dev", "request write:dev:playground for 1h because trying");
    expect(cardIn(reply)).toMatchObject({
      request: { status: "APPROVED" },
      actions: ["show_credential", "cancel"],
    });
    expect(JSON.stringify(reply)).not.toContain("kd_jit_");
  });
});

describe("deciding by text", () => {
  test("approve, for less time and with a comment", async () => {
    const id = await asked("dev");
    const reply = await run("ann", `approve ${id} for 1h because the replica will do`);
    expect(cardIn(reply).request).toMatchObject({ status: "APPROVED", grantedDuration: "1h" });
    expect(replyText(reply)).toBe("You approved it; the requester is notified.");
  });

  test("the first of two approvals says how many are missing", async () => {
    const id = await asked("dev", "request read:pay:ledger for 1h because audit ticket FIN-1");
    expect(replyText(await run("ann", `approve ${id}`))).toBe("You approved it; 1 more approval is needed.");
  });

  test("deny and revoke ask for a reason, and run when it is given", async () => {
    const id = await asked("dev");
    expect(dialogIn(await run("ann", `deny ${id}`))).toMatchObject({ ref: { id: "deny", requestId: id } });
    expect(cardIn(await run("ann", `deny ${id} use the replica`)).request).toMatchObject({
      status: "DENIED",
      endReason: "use the replica",
    });
    const other = await asked("dev");
    await run("ann", `approve ${other}`);
    expect(dialogIn(await run("ann", `revoke ${other}`)).ref.id).toBe("revoke");
    expect(cardIn(await run("ann", `revoke ${other} incident over`)).request.status).toBe("REVOKED");
  });

  test("a late decision is refused with the reason and the current card", async () => {
    const id = await asked("dev");
    await run("ann", `approve ${id}`);
    const late = await run("bob", `approve ${id}`);
    expect(late).toMatchObject({ kind: "refused", refusal: { refused: "already_decided" } });
    expect(cardIn(late).request.status).toBe("APPROVED");
    expect(replyText(late)).toContain("ann");
  });

  test("a person without a part in the request learns nothing of it, and the attempt is recorded", async () => {
    const id = await asked("dev");
    for (const text of [`status ${id}`, `deny ${id}`, `approve ${id}`, `revoke ${id} x`]) {
      const reply = await run("lead", text);
      expect(reply).toMatchObject({ kind: "refused", card: null });
      expect(JSON.stringify(reply)).not.toContain("INC-42");
    }
    const refusals = (await harness().audit()).filter((one) => one.action === "decision.refused");
    expect(refusals.map((one) => one.data["verb"])).toEqual(["deny", "approve", "revoke"]);
  });
});

describe("reading", () => {
  test("the empty command shows a menu with the number of waiting requests", async () => {
    await asked("dev");
    const menu = await run("ann", "");
    expect(menu).toMatchObject({
      kind: "text",
      buttons: ["request_access", "break_glass", "list", "home", "help"],
    });
    expect(replyText(menu)).toContain("To decide: 1");
  });

  test("list shows the caller's open requests only", async () => {
    const id = await asked("dev");
    expect(await run("dev", "list")).toMatchObject({ kind: "cards", cards: [{ request: { id } }] });
    expect(await run("ann", "list")).toMatchObject({ kind: "cards", cards: [] });
  });

  test("why says who would be asked, which policy governs, and that nothing was sent", async () => {
    const said = replyText(await run("dev", "why read:prod:orders-db for 2h"));
    expect(said).toContain("Needs 1 of 3: ann, bob, cid.");
    expect(said).toContain('policy "production": it governs');
    expect(said).toContain("Risk 40 of 100: production +40");
    expect(replyText(await run("dev", "why read:vault"))).toContain("Not possible: ");
    expect(await run("dev", "list")).toMatchObject({ cards: [] });
  });

  test("the message of a denying policy is quoted, in a request and in a dry run", async () => {
    const message = "Use the replica.\nTicket: INC-1";
    await harness().configure([denyPolicy("never", { message })], chatRules);
    const quoted = 'Its author says: "Use the replica. Ticket: INC-1"';
    const asking = replyText(await run("dev", "request read:prod:orders-db for 2h because INC-42"));
    expect(asking.split(quoted)).toHaveLength(2);
    const trying = replyText(await run("dev", "why read:prod:orders-db for 2h"));
    expect(trying).toContain(`Not possible: The policy "never" denies read:prod:orders-db.`);
    expect(trying).toContain(quoted);
  });

  test("help lists every command, or explains one", async () => {
    expect(replyText(await run("dev", "help"))).toContain("/jit break-glass");
    expect(replyText(await run("dev", "help why"))).toContain("For example: /jit why read:prod:orders-db");
  });

  test("a mistyped command is answered with the likely one", async () => {
    expect(replyText(await run("dev", "reqest read:prod:orders-db for 2h"))).toContain(
      "Did you mean /jit request read:prod:orders-db for 2h?",
    );
  });

  test("with an empty prefix no text mentions a slash command", async () => {
    const { services, clock } = harness();
    const { accountLinks, cards } = services;
    const plainChat = createChat({ services, accountLinks, cards, now: clock.now, prefix: "" });
    for (const text of ["help", "", "reqest", "status nope", "why read:prod:x"]) {
      expect(replyText(await plainChat.run(await caller("dev"), text))).not.toContain("/jit");
    }
  });
});

describe("a person without a linked account", () => {
  const unlinkedUser = {
    account: { surface: "slack", team: "T0123", user: "U0STRANGER" },
    displayName: "Somebody",
    email: null,
  } as const;

  test("gets the ids an administrator needs, and nothing else happens", async () => {
    const why = await harness().services.accountLinks.callerOf(unlinkedUser.account);
    if (!("refused" in why)) throw new Error("nobody is linked to this account");
    const reply = await chat().runUnlinked(unlinkedUser, "request read:prod:x for 1h because y", why);
    expect(reply).toMatchObject({ kind: "refused", buttons: ["ask_for_link"] });
    expect(replyText(reply)).toContain("Send /jit link");
    expect(replyText(reply)).toContain("T0123, user U0STRANGER");
    const asks = await chat().runUnlinked(unlinkedUser, "link", why);
    expect(replyText(asks)).toContain("An administrator was asked to link you.");
  });
});

test("every input gets a text reply, without a secret and without an exception", async () => {
  const id = await asked("dev");
  const word = fc.constantFrom(
    ...commandNames,
    id,
    "for",
    "because",
    "2h",
    "read:prod:x",
    "write:dev:x",
    "“",
    "ticket",
  );
  const typed = fc.oneof(
    fc.array(word, { maxLength: 8 }).map((words) => words.join(" ")),
    fc.string({ unit: "binary", maxLength: 60 }),
  );
  await fc.assert(
    fc.asyncProperty(typed, fc.constantFrom("dev", "ann", "lead", "cto"), async (text, name) => {
      const reply = await run(name, text);
      expect(replyText(reply) !== "" || reply.kind === "card" || reply.kind === "dialog").toBe(true);
      expect(JSON.stringify(reply)).not.toContain("kd_jit_");
    }),
    { numRuns: 60 },
  );
});

test("an unavailable store is a refusal, never an exception", async () => {
  const { services, clock } = harness();
  const { accountLinks, cards } = services;
  const down = async (): Promise<never> => {
    throw new StoreUnavailable("busy");
  };
  const broken = { ...services, requestCommands: { ...services.requestCommands, ask: down, approve: down } };
  const failing = createChat({ services: broken, accountLinks, cards, now: clock.now });
  const text = "request read:prod:orders-db for 2h because INC-42";
  expect(await failing.run(await caller("dev"), text)).toMatchObject({
    kind: "refused",
    refusal: { refused: "store_unavailable" },
  });
  const values = { scopes: "read:prod:orders-db", duration: "2h", reason: "x" };
  const ref = { id: "request", requestId: null, revision: null, account: null } as const;
  expect(await failing.submit(await caller("dev"), ref, values)).toMatchObject({ kind: "errors" });
});
