import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dayMs, plus } from "../../../src/core/values/time.ts";
import type { Relay } from "../../../src/background/outbox/relay.ts";
import { granted, openServiceHarness, type ServiceHarness } from "../../service/support/service-harness.ts";
import { fakeMessenger, type FakeMessenger } from "./support/fake-messenger.ts";
import { createHarnessRelay } from "./support/harness-relay.ts";

let harness: ServiceHarness;
let relay: Relay;
let slack: FakeMessenger;
let email: FakeMessenger;

beforeEach(async () => {
  harness = await openServiceHarness();
  await harness.configure([]);
  slack = fakeMessenger("slack");
  email = fakeMessenger("email");
  harness.context.surfaces.add(slack);
  harness.context.surfaces.add(email);
  relay = createHarnessRelay(harness, []);
});
afterEach(async () => {
  await relay.stop();
  await harness.close();
});

describe("a key that expires in a week is told to its owner", () => {
  const keyFor = async (days: number, identityId = "id_dev") => {
    const admin = await harness.caller("sec", "admin");
    const expiresAt = plus(harness.clock.now(), days * dayMs);
    const made = await harness.services.apiKeys.create(admin, {
      identityId,
      roles: ["requester"],
      name: null,
      expiresAt,
    });
    await relay.drain();
    slack.said.length = 0;
    return granted(made).key;
  };
  const daysPass = async (days: number) => {
    harness.clock.pass(days * dayMs);
    await relay.drain();
  };
  const told = () => slack.said.map(({ note }) => note);

  test("once, wherever they are, also after restarts", async () => {
    const { id, last4 } = await keyFor(30);
    await daysPass(22);
    expect(told()).toEqual([]);
    await daysPass(1);
    expect(told()).toMatchObject([{ about: "key", notice: "key_expiring", keyId: id, last4 }]);
    expect(email.said.map(({ note }) => note)).toContainEqual(
      expect.objectContaining({ notice: "key_expiring", keyId: id }),
    );
    await relay.stop();
    relay = createHarnessRelay(harness, []);
    await relay.begin();
    await daysPass(3);
    expect(told()).toHaveLength(1);
  });

  test("but not of one that lives less than two weeks", async () => {
    await keyFor(13.9);
    await daysPass(13);
    expect(told()).toEqual([]);
    await keyFor(14);
    await daysPass(7);
    expect(told()).toHaveLength(1);
  });

  test("nor of one that is deleted, over, or of somebody who is switched off", async () => {
    const admin = await harness.caller("sec", "admin");
    const { id } = await keyFor(30);
    await harness.services.apiKeys.remove(admin, id);
    await keyFor(30, "id_ann");
    await harness.services.directory.change(admin, "id_ann", { active: false });
    await daysPass(24);
    await keyFor(30, "id_bob");
    harness.clock.pass(31 * dayMs);
    await relay.drain();
    expect(told().filter((note) => note.about === "key")).toEqual([]);
  });
});
