import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createChat, type Chat } from "../../../src/chat/conversation/chat.ts";
import { createCredentialService } from "../../../src/service/credentials/claim/credential-service.ts";
import type { Caller } from "../../../src/service/ports/caller.ts";
import * as views from "../../../src/service/views/request-view.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { fakeMessenger } from "../../background/outbox/support/fake-messenger.ts";
import { openTargetHarness } from "../support/target-harness.ts";
import { unwrap, openServiceHarness, type ServiceHarness } from "../support/service-harness.ts";

vi.mock("../../../src/service/views/request-view.ts", { spy: true });

const readsOfOneCall = {
  request: 1,
  rulebook: 1,
  people: 1,
  deliveries: 1,
  views: 1,
};

let harness: ServiceHarness;
let chat: Chat;
let reads: Map<string, number>;
beforeEach(async () => {
  reads = new Map();
  harness = await openServiceHarness({
    onRead: (name) => reads.set(name, (reads.get(name) ?? 0) + 1),
  });
  await harness.configure([approvalPolicy("dba", { stages: [stageBy("group:dba")] })]);
  harness.context.surfaces.add(fakeMessenger("slack"));
  const { services, clock } = harness;
  chat = createChat({ services, accountLinks: services.accountLinks, cards: services.cards, now: clock.now });
});
afterEach(() => harness.close());

const inChat = async (name: string): Promise<Caller> => ({ ...(await harness.caller(name)), via: "slack" });

/** What a call reads and builds. A new database has no rules in memory: the first call would read them as well. */
async function readsOf(call: () => Promise<object>): Promise<Record<string, number>> {
  await harness.context.rulebook();
  reads.clear();
  vi.mocked(views.requestView).mockClear();
  unwrap(await call());
  return {
    request: reads.get("request") ?? 0,
    rulebook: reads.get("rulebookVersion") ?? 0,
    people: reads.get("people") ?? 0,
    deliveries: reads.get("deliveries") ?? 0,
    views: vi.mocked(views.requestView).mock.calls.length,
  };
}

const approved = async (): Promise<string> => {
  const { request } = unwrap(await harness.ask("dev"));
  unwrap(await harness.services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
  return request.id;
};
const active = async (): Promise<string> => {
  const id = await approved();
  unwrap(await harness.services.requestCommands.claim(await harness.caller("dev"), id));
  return id;
};

describe("one call reads its request once and builds its view once", () => {
  test("submit", async () => {
    expect(await readsOf(() => harness.ask("dev"))).toEqual({ ...readsOfOneCall, request: 0 });
  });

  test.each(["approve", "deny", "cancel", "read", "read by an approver"] as const)("%s", async (verb) => {
    const { request } = unwrap(await harness.ask("dev"));
    const { requestCommands, requestQueries } = harness.services;
    const [dev, ann] = [await harness.caller("dev"), await harness.caller("ann")];
    const calls = {
      approve: () => requestCommands.approve(ann, request.id, {}),
      deny: () => requestCommands.deny(ann, request.id, "no"),
      cancel: () => requestCommands.cancel(dev, request.id),
      read: () => requestQueries.read(dev, request.id),
      "read by an approver": () => requestQueries.read(ann, request.id),
    };
    const rulebook = verb.startsWith("read") ? 0 : 1;
    expect(await readsOf(calls[verb])).toEqual({ ...readsOfOneCall, rulebook });
  });

  test("a call with an Idempotency-Key", async () => {
    const { request } = unwrap(await harness.ask("dev"));
    const idempotentCall = { keyId: "key_x" as never, call: "POST /x", idempotencyKey: "x", bodyHash: "x" };
    const ann = { ...(await harness.caller("ann")), idempotentCall };
    const approve = () => harness.services.requestCommands.approve(ann, request.id, {});
    expect(await readsOf(approve)).toEqual(readsOfOneCall);
  });

  test("claim", async () => {
    const id = await approved();
    const dev = await harness.caller("dev");
    expect(await readsOf(() => harness.services.requestCommands.claim(dev, id))).toEqual(readsOfOneCall);
  });

  test.each(["rotate", "complete", "extend", "revoke"] as const)("%s", async (verb) => {
    const id = await active();
    const { requestCommands } = harness.services;
    const [dev, ann] = [await harness.caller("dev"), await harness.caller("ann")];
    const calls = {
      rotate: () => requestCommands.rotate(dev, id),
      complete: () => requestCommands.complete(dev, id),
      extend: () => requestCommands.extend(dev, id, { duration: "1h", reason: "more" }),
      revoke: () => requestCommands.revoke(ann, id, "over"),
    };
    expect(await readsOf(calls[verb])).toEqual(readsOfOneCall);
  });

  test.each(["approve", "deny", "details", "show_credential", "done"] as const)(
    "button %s",
    async (action) => {
      const id =
        action === "done" ? await active() : action === "show_credential" ? await approved() : undefined;
      const asked = id === undefined ? unwrap(await harness.ask("dev")).request : undefined;
      const [dev, ann] = [await inChat("dev"), await inChat("ann")];
      const pressed = { requestId: id ?? asked?.id ?? "", revision: asked?.revision ?? "" };
      const press = () => chat.press(id === undefined ? ann : dev, action, pressed);
      expect(await readsOf(press)).toEqual(readsOfOneCall);
    },
  );
});

test("a claim with targets reads its request once before they are prepared, and once when they are ready", async () => {
  const targets = await openTargetHarness();
  try {
    const { context, services } = targets;
    let count = 0;
    const request: typeof context.store.request = async (id) => {
      count++;
      return context.store.request(id);
    };
    const counted = { ...context, store: { ...context.store, request } };
    const credentials = createCredentialService(counted, services.targets, services.grants.settle, () => {});
    targets.target.trouble.isDown = true;
    const id = await targets.approved();
    const dev = await targets.caller("dev");
    expect(unwrap(await credentials.claim(dev, id, { waitMs: 0 }))).toMatchObject({
      isPreparing: true,
    });
    expect(count).toBe(1);
    targets.target.trouble.isDown = false;
    await targets.live(40_000);
    count = 0;
    expect(unwrap(await credentials.claim(dev, id))).toHaveProperty("credential");
    expect(count).toBe(1);
  } finally {
    await targets.close();
  }
});
