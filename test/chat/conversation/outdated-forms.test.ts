import { describe, expect, test } from "vitest";
import { dialogRef, type DialogId } from "../../../src/chat/conversation/dialog.ts";
import { replyView } from "../../../src/chat/slack/views/replies.ts";
import { dialogAnswer } from "../../../src/chat/teams/inbound/invoke-responses.ts";
import { emptyForm } from "../../../src/chat/teams/views/dialogs.ts";
import { chatForEach } from "./support/chat-harness.ts";
import { chatPolicies, chatRules } from "./support/policy-fixtures.ts";

const { chat, caller, harness } = chatForEach(chatPolicies, chatRules);
const typed = "The replica would do: ask again for read:replica:orders-db";

/** A request by dev that ann denied while bob's form was open. */
const decided = async (): Promise<string> => {
  const asked = await harness().ask("dev", { scopes: ["read:prod:orders-db"], duration: "2h" });
  const id = "request" in asked ? asked.request.id : "";
  await harness().services.requestCommands.deny(await harness().caller("ann"), id, "no");
  return id;
};

describe("a form that is submitted after its request was decided", () => {
  test.each<[DialogId, Record<string, string>, string]>([
    ["deny", { words: typed }, "bob"],
    ["approve", { words: typed }, "bob"],
    ["approve_for_less", { words: typed, duration: "1h" }, "bob"],
    ["revoke", { words: typed }, "bob"],
    ["extend", { words: typed, duration: "1h" }, "dev"],
    ["cancel", { words: typed }, "dev"],
    ["justified", { words: typed }, "sec"],
  ])("%s says what happened and shows the typed text again", async (form, values, name) => {
    const id = await decided();
    const ref = dialogRef(form, { requestId: id, revision: "r" });
    const reply = await chat().submit(await caller(name), ref, values);
    expect(reply).toMatchObject({ kind: "refused", typed: [{ label: "You typed", text: typed }] });
    const inSlack = JSON.stringify(replyView(reply));
    const inTeams = JSON.stringify(dialogAnswer({ reply, form: emptyForm }));
    for (const shown of [inSlack, inTeams]) expect(shown).toContain("The replica would do");
  });

  test("opening a form again decides nothing", async () => {
    const asked = await harness().ask("dev", { scopes: ["read:prod:orders-db"], duration: "2h" });
    const id = "request" in asked ? asked.request.id : "";
    const { revision } = "request" in asked ? asked.request : { revision: "" };
    const reply = await chat().reopen(await caller("ann"), dialogRef("approve", { requestId: id, revision }));
    expect(reply.kind).toBe("dialog");
    expect((await harness().audit()).map(({ action }) => action)).not.toContain("approval.given");
  });
});
