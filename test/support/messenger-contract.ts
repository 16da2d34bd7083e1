import { expect, test } from "vitest";
import type { Identity } from "../../src/core/values/identity.ts";
import { DeliveryFault, type Messenger } from "../../src/service/messaging/messenger.ts";
import { cardFixture, noteOf } from "../notify/email/support/cards.ts";
import { completeTextContract, type ShownMessage } from "./complete-text-contract.ts";

/** A surface with a reachable person, which can be taken down. */
export interface MessengerHarness {
  readonly messenger: Messenger;
  readonly person: Identity;
  /** A person who cannot be reached there. */
  readonly stranger: Identity;
  /** A channel as a policy names it. */
  readonly channel: string;
  /** The newest message. */
  latest(): ShownMessage;
  /** Advances the clock, where the platform limits messages per second. */
  rest?(): void;
  /** How many messages have arrived so far. */
  arrived(): number;
  /** Deletes all messages; null where messages cannot be changed. */
  readonly deleteAll: (() => void) | null;
  /** Makes every call fail from now on. */
  takeDown(): Promise<void> | void;
}

const never = new AbortController().signal;

/** The contract of every messenger. */
export function messengerContract(harness: () => MessengerHarness): void {
  completeTextContract(harness);
  const card = cardFixture("approver");
  const note = noteOf("reminder", card);
  const addressOf = async ({ messenger, person }: MessengerHarness): Promise<string> =>
    (await messenger.addressOf(person)) ?? "nowhere";

  test("knows the addresses of its people and channels, and no others", async () => {
    const { messenger, stranger, channel } = harness();
    expect(await addressOf(harness())).not.toBe("nowhere");
    expect(await messenger.addressOf(stranger)).toBeUndefined();
    expect(messenger.channelAddress(channel)).toBeDefined();
    expect(messenger.channelAddress("fax:4711")).toBeUndefined();
  });

  test("posts one message, which can be rewritten in place", async () => {
    const h = harness();
    const before = h.arrived();
    const ref = await h.messenger.post(await addressOf(h), card, never);
    expect(h.arrived()).toBe(before + 1);
    expect(await h.messenger.rewrite(ref, card, never, true)).toBe("rewritten");
    expect(h.arrived()).toBe(before + 1);
  });

  test("a deleted message is reported as gone, and its note is sent all the same", async () => {
    const h = harness();
    const ref = await h.messenger.post(await addressOf(h), card, never);
    h.deleteAll?.();
    if (h.deleteAll !== null) expect(await h.messenger.rewrite(ref, card, never, true)).toBe("gone");
    const before = h.arrived();
    await h.messenger.direct(await addressOf(h), note, ref, never);
    expect(h.arrived()).toBe(before + 1);
  });

  test("sends notes about changed approvers and reviewers", async () => {
    const h = harness();
    const notices = [
      "approver_added",
      "approver_removed",
      "reviewer_added",
      "stranded",
      "reachable",
    ] as const;
    for (const notice of notices) {
      const before = h.arrived();
      await h.messenger.direct(await addressOf(h), noteOf(notice, card), null, never);
      expect(h.arrived()).toBe(before + 1);
    }
  });

  test("sends alerts of the service", async () => {
    const h = harness();
    const before = h.arrived();
    await h.messenger.direct(
      await addressOf(h),
      { about: "alert", alert: { name: "disk_full" } },
      null,
      never,
    );
    expect(h.arrived()).toBe(before + 1);
  });

  test("sends one note as one message", async () => {
    const h = harness();
    const before = h.arrived();
    await h.messenger.direct(await addressOf(h), note, null, never);
    expect(h.arrived()).toBe(before + 1);
  });

  test("an outage is a retryable fault, and nothing was sent", async () => {
    const h = harness();
    const address = await addressOf(h);
    const before = h.arrived();
    await h.takeDown();
    for (const attempt of [
      () => h.messenger.post(address, card, never),
      () => h.messenger.direct(address, note, null, never),
    ]) {
      const fault: unknown = await attempt().catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(DeliveryFault);
      expect(fault).toMatchObject({ retryable: true, isSurfaceDown: true });
    }
    expect(h.arrived()).toBe(before);
  });
}
