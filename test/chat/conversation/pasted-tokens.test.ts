import { expect, test } from "vitest";
import { dialogRef } from "../../../src/chat/conversation/dialog.ts";
import { tokensIn } from "../../../src/core/values/mask-tokens.ts";
import { chatPolicies, chatRules } from "./support/policy-fixtures.ts";
import { chatForEach } from "./support/chat-harness.ts";

const { harness, chat, caller, run } = chatForEach(chatPolicies, chatRules);

/** An API key of cid, to be pasted by somebody. */
async function pasted(): Promise<string> {
  const made = await harness().services.apiKeys.create(await harness().caller("cto", "admin"), {
    identityId: "id_cid",
    roles: ["approver"],
    name: null,
  });
  if ("refused" in made) throw new Error(made.detail);
  return made.token;
}
const isActive = async (token: string): Promise<boolean> =>
  !("refused" in (await harness().services.apiKeys.authenticate(token)));
const isStored = async (token: string): Promise<boolean> =>
  JSON.stringify(await harness().audit()).includes(token.slice(8));

test.each<[string, (token: string) => string]>([
  ["the reason", (token) => `request read:prod:orders-db for 2h because ${token}`],
  ["a scope", (token) => `request read:${token} for 2h because INC-42`],
  ["the time", (token) => `request read:prod:orders-db for ${token} because INC-42`],
  ["an id", (token) => `status ${token}`],
  ["a verb", (token) => `${token} now`],
  ["a break-glass reason", (token) => `break-glass read:prod:orders-db because ${token}`],
])("a token typed as %s is revoked, and neither stored nor repeated", async (_, text) => {
  const token = await pasted();
  const reply = await run("dev", text(token));
  expect(tokensIn(reply)).toEqual([]);
  expect([await isActive(token), await isStored(token)]).toEqual([false, false]);
});

test.each(["reason", "scopes", "identity", "words", "duration"])(
  "a token in the form field %s is revoked, and neither stored nor repeated",
  async (field) => {
    const token = await pasted();
    const own = await caller("dev", "requester", "approver", "admin");
    const form = dialogRef(field === "identity" ? "link" : "request", {
      account: { surface: "slack", team: "T0TEAM", user: "U0SAM" },
    });
    const values = { scopes: "read:prod:orders-db", reason: "INC-42", duration: "2h", [field]: `x ${token}` };
    expect(tokensIn(await chat().preview(own, form, values))).toEqual([]);
    expect(tokensIn(await chat().submit(own, form, values))).toEqual([]);
    expect([await isActive(token), await isStored(token)]).toEqual([false, false]);
  },
);
