import { expect, test } from "vitest";
import type { Identity } from "../../src/core/values/identity.ts";
import { DeliveryFault, type Messenger } from "../../src/service/messaging/messenger.ts";
import { cardFixture, noteOf } from "../notify/email/support/cards.ts";
import { shownWholeContract, type ShownMessage } from "./complete-text-contract.ts";

/** A surface with somebody on it, and a way to take it down. */
export interface MessengerHarness {
  readonly messenger: Messenger;
  readonly person: Identity;
  /** Somebody who cannot be reached there. */
  readonly stranger: Identity;
  /** A channel as a policy names it. */
  readonly channel: string;
  /** The message that has arrived last. */
  latest(): ShownMessage;
  /** Lets time go by, where the platform takes only so many messages a second. */
  rest?(): void;
  /** How many messages have arrived so far. */
  arrived(): number;
  /** Everything that was posted so far is deleted; null where messages cannot be changed anyway. */
  readonly deleteAll: (() => void) | null;
  /** From now on nobody gets through. */
  takeDown(): Promise<void> | void;
}

const never = new AbortController().signal;

/** What holds for every way of telling people. */
export function messengerContract(harness: () => MessengerHarness): void {
  shownWholeContract(harness);
  const card = cardFixture("approver");
  const note = noteOf("reminder", card);
  const addressOf = async ({ messenger, person }: MessengerHarness): Promise<string> =>
    (await messenger.addressOf(person)) ?? "nowhere";

  test("says where a person and a channel are, and of others that it does not know", async () => {
    const { messenger, stranger, channel } = harness();
    expect(await addressOf(harness())).not.toBe("nowhere");
    expect(await messenger.addressOf(stranger)).toBeUndefined();
    expect(messenger.channelAddress(channel)).toBeDefined();
    expect(messenger.channelAddress("fax:4711")).toBeUndefined();
  });

  test("posts one message, which can be rewritten without another one arriving", async () => {
    const h = harness();
    const before = h.arrived();
    const ref = await h.messenger.post(await addressOf(h), card, never);
    expect(h.arrived()).toBe(before + 1);
    expect(await h.messenger.rewrite(ref, card, never, true)).toBe("rewritten");
    expect(h.arrived()).toBe(before + 1);
  });

  test("a message that was deleted is said to be gone, and what was to stand below it is told all the same", async () => {
    const h = harness();
    const ref = await h.messenger.post(await addressOf(h), card, never);
    h.deleteAll?.();
    if (h.deleteAll !== null) expect(await h.messenger.rewrite(ref, card, never, true)).toBe("gone");
    const before = h.arrived();
    await h.messenger.direct(await addressOf(h), note, ref, never);
    expect(h.arrived()).toBe(before + 1);
  });

  test("tells that people have changed while a request waits for them", async () => {
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

  test("tells administrators that the service itself needs them", async () => {
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

  test("tells one thing once", async () => {
    const h = harness();
    const before = h.arrived();
    await h.messenger.direct(await addressOf(h), note, null, never);
    expect(h.arrived()).toBe(before + 1);
  });

  test("when nobody gets through it says so, to be tried again, and has told nobody", async () => {
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
