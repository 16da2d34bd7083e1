import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dayMs, plus } from "../../../src/core/values/time.ts";
import type { Relay } from "../../../src/background/outbox/relay.ts";
import { unwrap, openServiceHarness, type ServiceHarness } from "../../service/support/service-harness.ts";
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

describe("the owner of a key that expires in a week is notified", () => {
  const keyFor = async (days: number, identityId = "id_dev") => {
    const admin = await harness.caller("sec", "admin");
    const expiresAt = plus(harness.clock.now(), days * dayMs);
    const created = await harness.services.apiKeys.create(admin, {
      identityId,
      roles: ["requester"],
      name: null,
      expiresAt,
    });
    await relay.drain();
    slack.notes.length = 0;
    return unwrap(created).key;
  };
  const passDays = async (days: number) => {
    harness.clock.pass(days * dayMs);
    await relay.drain();
  };
  const notes = () => slack.notes.map(({ note }) => note);

  test("once, on every surface, also after restarts", async () => {
    const { id, last4 } = await keyFor(30);
    await passDays(22);
    expect(notes()).toEqual([]);
    await passDays(1);
    expect(notes()).toMatchObject([{ about: "key", notice: "key_expiring", keyId: id, last4 }]);
    expect(email.notes.map(({ note }) => note)).toContainEqual(
      expect.objectContaining({ notice: "key_expiring", keyId: id }),
    );
    await relay.stop();
    relay = createHarnessRelay(harness, []);
    await relay.begin();
    await passDays(3);
    expect(notes()).toHaveLength(1);
  });

  test("but not for a key that lasts less than two weeks", async () => {
    await keyFor(13.9);
    await passDays(13);
    expect(notes()).toEqual([]);
    await keyFor(14);
    await passDays(7);
    expect(notes()).toHaveLength(1);
  });

  test("nor for a key that is deleted or expired, or whose owner is deactivated", async () => {
    const admin = await harness.caller("sec", "admin");
    const { id } = await keyFor(30);
    await harness.services.apiKeys.remove(admin, id);
    await keyFor(30, "id_ann");
    await harness.services.directory.change(admin, "id_ann", { active: false });
    await passDays(24);
    await keyFor(30, "id_bob");
    harness.clock.pass(31 * dayMs);
    await relay.drain();
    expect(notes().filter((note) => note.about === "key")).toEqual([]);
  });
});
