import { afterEach, beforeEach, expect, test } from "vitest";
import { createChat, type Chat } from "../../../src/chat/conversation/chat.ts";
import { dialogRef } from "../../../src/chat/conversation/dialog.ts";
import type { Caller } from "../../../src/service/ports/caller.ts";
import { replyView } from "../../../src/chat/slack/views/replies.ts";
import { dialogAnswer } from "../../../src/chat/teams/inbound/invoke-responses.ts";
import { emptyForm } from "../../../src/chat/teams/views/dialogs.ts";
import { runAction } from "../../../src/chat/teams/inbound/card-actions.ts";
import { openTargetHarness, type TargetHarness } from "../../service/support/target-harness.ts";

const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f dev@laptop";

let harness: TargetHarness;
let chat: Chat;
let dev: Caller;
beforeEach(async () => {
  harness = await openTargetHarness({
    more: [{ name: "bastion", resources: "host:", needsSshPublicKey: true }],
  });
  const { services, clock } = harness;
  const { accountLinks, cards } = services;
  chat = createChat({ services, accountLinks, cards, now: clock.now });
  dev = { ...(await harness.caller("dev")), via: "slack" };
});
afterEach(async () => {
  await harness.close();
});

const approved = () => harness.approved({ scopes: ["login:host:web-1"] });
const press = (action: "show_credential" | "replace_credential", requestId: string) =>
  chat.press(dev, action, { requestId, revision: "" });
const send = (id: "show_credential" | "replace_credential", requestId: string, typed: string) =>
  chat.submit(dev, dialogRef(id, { requestId }), { ssh_public_key: typed });
const issued = async () =>
  (await harness.audit()).filter(({ action }) => action === "credential.issued").length;

test("for an SSH target Show credential asks for the public key and creates nothing before", async () => {
  const id = await approved();
  const reply = await press("show_credential", id);
  expect(reply).toMatchObject({ kind: "dialog", dialog: { ref: { id: "show_credential", requestId: id } } });
  for (const shown of [replyView(reply), dialogAnswer({ reply, form: emptyForm })]) {
    expect(JSON.stringify(shown)).toContain("ssh_public_key");
  }
  expect(await issued()).toBe(0);
});

test("with a key the credential is shown; an invalid key is an error at its field, and nothing is created", async () => {
  const id = await approved();
  for (const typed of ["", "ssh-rsa AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----"]) {
    expect(await send("show_credential", id, typed)).toMatchObject({
      kind: "errors",
      errors: [{ field: "ssh_public_key" }],
    });
  }
  expect(await issued()).toBe(0);
  expect(await send("show_credential", id, ` ${key}\n`)).toMatchObject({
    kind: "credential",
    credential: { targets: [{ connector: "bastion", secret: expect.any(String) }] },
  });
});

test("Replace credential asks for the key before it replaces anything", async () => {
  const id = await approved();
  await send("show_credential", id, key);
  expect(await press("replace_credential", id)).toMatchObject({
    kind: "dialog",
    dialog: { ref: { id: "replace_credential" } },
  });
  expect((await harness.audit()).map(({ action }) => action)).not.toContain("credential.rotated");
  expect(await send("replace_credential", id, key)).toMatchObject({ kind: "credential" });
});

test("in Teams only a dialog accepts the form: submitted from a message it creates nothing", async () => {
  const id = await approved();
  const ref = JSON.stringify(dialogRef("show_credential", { requestId: id }));
  const outcome = await runAction(
    { chat, cards: harness.services.cards },
    { kind: "known", caller: dev },
    { verb: "form:submit", ref, ssh_public_key: key },
    "message",
  );
  expect(outcome.reply.kind).toBe("card");
  expect(await issued()).toBe(0);
});
