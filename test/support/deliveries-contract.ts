import { expect, test } from "vitest";
import { assertPresent } from "../../src/core/values/assert.ts";
import { parseId } from "../../src/core/values/ids.ts";
import { minuteMs } from "../../src/core/values/time.ts";
import { linkSubject } from "../../src/service/views/delivery-status.ts";
import type { DeliverySubject } from "../../src/service/ports/store.ts";
import {
  contractRules,
  contractScope,
  members,
  notedScope,
  type DeliveriesHarness,
  type ShownDelivery,
} from "./deliveries-harness.ts";
import { reviewerDeliveriesContract } from "./reviewer-deliveries-contract.ts";

/** The contract of cards and notes on every platform that rewrites its messages. */
export function deliveriesContract(harness: () => DeliveriesHarness): void {
  reviewerDeliveriesContract(harness);
  const approvers = ["ann", "bob", "cid"];
  const asked = async (h: DeliveriesHarness, scope = contractScope): Promise<string> => {
    const answer = await h.service.ask("dev", { scopes: [scope], duration: "1h" });
    await h.settle();
    return "request" in answer ? answer.request.id : answer.detail;
  };
  const approve = async (h: DeliveriesHarness, name: string, id: string): Promise<void> => {
    await h.service.services.requestCommands.approve(await h.service.caller(name), id, {});
    await h.settle();
  };
  const all = (h: DeliveriesHarness): readonly ShownDelivery[] => [
    ...approvers.flatMap((name) => h.deliveriesOf(name)),
    ...h.deliveriesInChannel(),
  ];

  test("each approver and the channel have one card, and every step rewrites all of them in place", async () => {
    const h = harness();
    const id = await asked(h);
    expect(all(h)).toHaveLength(4);
    for (const { words } of all(h)) expect(words).toContain("0 of 2");
    await approve(h, "ann", id);
    expect(all(h)).toHaveLength(4);
    for (const { words } of all(h)) expect(words).toContain("1 of 2");
    await approve(h, "bob", id);
    expect(all(h)).toHaveLength(4);
    for (const { words, buttons } of all(h)) {
      expect(words).toContain("2 of 2");
      expect(words).toContain("bob");
      expect(buttons).toEqual(["Revoke", "Details"]);
    }
  });

  test("after their vote an approver's card offers no approval, wherever they voted", async () => {
    const h = harness();
    const id = await asked(h);
    const offered = (name: string) => h.deliveriesOf(name).map(({ buttons }) => buttons);
    expect(offered("ann")).toEqual([["Approve", "Deny", "Approve for less…", "Details"]]);
    await approve(h, "ann", id);
    expect(offered("ann")).toEqual([["Deny", "Details"]]);
    expect(offered("bob")).toEqual([["Approve", "Deny", "Approve for less…", "Details"]]);
    expect(h.deliveriesInChannel().map(({ buttons }) => buttons)).toEqual([
      ["Approve", "Deny", "Approve for less…", "Details"],
    ]);
  });

  test("after the end every card says who ended it and why, without buttons", async () => {
    const h = harness();
    const id = await asked(h);
    await h.service.services.requestCommands.deny(await h.service.caller("cid"), id, "use the replica");
    await h.settle();
    for (const { words, buttons } of [...all(h), ...h.deliveriesOf("dev")]) {
      expect(words).toContain("use the replica");
      expect(words).toContain("cid");
      expect(words).toContain(id);
      expect(buttons).toEqual([]);
    }
  });

  test("an unreachable recipient delays nobody, and gets the current card once reachable", async () => {
    const h = harness();
    h.fail("bob");
    const id = await asked(h);
    await approve(h, "ann", id);
    expect(h.deliveriesOf("bob")).toEqual([]);
    for (const { words } of all(h)) expect(words).toContain("1 of 2");
    expect(all(h)).toHaveLength(3);
    h.heal();
    h.service.clock.pass(10 * minuteMs);
    await h.settle();
    expect(h.deliveriesOf("bob")).toHaveLength(1);
    expect(h.deliveriesOf("bob")[0]?.words).toContain("1 of 2");
  });

  test("decisions during an outage are shown after it", async () => {
    const h = harness();
    const id = await asked(h);
    h.fail(null);
    await approve(h, "ann", id);
    await approve(h, "bob", id);
    for (const { words } of all(h)) expect(words).toContain("0 of 2");
    h.heal();
    h.service.clock.pass(10 * minuteMs);
    await h.settle();
    expect(all(h)).toHaveLength(4);
    for (const { words } of all(h)) expect(words).toContain("2 of 2");
  });

  test("a deleted card is replaced by a new one, which is kept up to date", async () => {
    const h = harness();
    const id = await asked(h);
    h.deleteDeliveriesOf("ann");
    h.deleteDeliveriesOf("dev");
    await approve(h, "bob", id);
    expect(h.deliveriesOf("ann")).toHaveLength(1);
    expect(h.deliveriesOf("dev")).toHaveLength(1);
    await approve(h, "cid", id);
    for (const name of ["ann", "dev"]) {
      expect(h.deliveriesOf(name)).toHaveLength(1);
      expect(h.deliveriesOf(name)[0]?.words).toContain("2 of 2");
    }
    expect(h.deliveriesOf("ann")[0]?.buttons).toEqual(["Revoke", "Details"]);
    expect(h.deliveriesOf("dev")[0]?.buttons).toContain("Show credential");
  });

  /** The references of messages that the store has recorded. */
  const recorded = async (h: DeliveriesHarness, ...subjects: readonly DeliverySubject[]): Promise<string> =>
    (await h.service.store.deliveries(subjects)).map(({ ref }) => ref ?? "").join("\n");

  test("every message with a button is recorded, and after the decision none offers to decide", async () => {
    const h = harness();
    const id = await asked(h, notedScope);
    for (const passed of [15, 20]) {
      h.service.clock.pass(passed * minuteMs);
      await h.service.services.grants.tick(id);
      await h.settle();
    }
    const before = h.withButtons();
    // Three approvers have a card and a reminder, and the escalation has asked one more.
    expect(before.filter(({ buttons }) => buttons.includes("Approve")).length).toBeGreaterThan(6);
    const refs = await recorded(h, assertPresent(parseId("request", id), id));
    for (const message of before) expect(refs).toContain(`"${message.id}"`);
    await h.service.services.requestCommands.deny(await h.service.caller("cid"), id, "use the replica");
    await h.settle();
    expect(h.withButtons()).toEqual([]);
  });

  test("a note offers no approval after its reader has voted", async () => {
    const h = harness();
    const id = await asked(h, notedScope);
    h.service.clock.pass(15 * minuteMs);
    await h.service.services.grants.tick(id);
    await h.settle();
    const offering = () => h.withButtons().filter(({ buttons }) => buttons.includes("Approve")).length;
    const before = offering();
    await approve(h, "ann", id);
    // Ann's card and her reminder.
    expect(offering()).toBe(before - 2);
  });

  test("a link request is recorded, and says that it is done when anyone has linked the account", async () => {
    const h = harness();
    const account = { surface: "slack", team: "T0OTHER", user: "U0NEW" } as const;
    await h.service.services.accountLinks.askForLink(account, { displayName: "New", email: null });
    await h.settle();
    const [asking] = h.withButtons();
    expect(asking?.buttons).toEqual(["Link to somebody else…"]);
    expect(await recorded(h, linkSubject(account))).toContain(`"${asking?.id}"`);
    await h.service.services.accountLinks.link(await h.service.caller("sec", "admin"), account, "id_sam");
    await h.settle();
    expect(h.withButtons()).toEqual([]);
  });

  test("a time-out is shown on every card", async () => {
    const h = harness();
    const id = await asked(h);
    h.service.clock.pass(2 * 24 * 60 * minuteMs);
    await h.service.services.grants.tick(id);
    await h.settle();
    expect(all(h)).toHaveLength(4);
    for (const { words, buttons } of all(h)) {
      expect(words).toContain("Timed out");
      expect(buttons).toEqual([]);
    }
  });

  test("a new approver gets a card; a former one reads why, without buttons", async () => {
    const h = harness();
    const id = await asked(h);
    await members(h, "ann", "bob", "sec");
    expect(h.deliveriesOf("sec")).toHaveLength(1);
    expect(h.deliveriesOf("sec")[0]?.buttons).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    expect(h.deliveriesOf("cid")).toHaveLength(1);
    expect(h.deliveriesOf("cid")[0]?.buttons).toEqual([]);
    expect(h.deliveriesOf("cid")[0]?.words).toContain("You can no longer decide this");
    expect(h.deliveriesOf("cid")[0]?.words).toContain("dba, and you are not among them");
    expect(h.deliveriesOf("ann")[0]?.buttons).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await members(h, "ann", "bob", "cid");
    expect(h.deliveriesOf("sec")[0]?.buttons).toEqual([]);
    expect(h.deliveriesOf("cid")[0]?.buttons).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await approve(h, "ann", id);
    await approve(h, "bob", id);
    expect(h.deliveriesOf("sec")[0]?.buttons).toEqual([]);
    expect(h.deliveriesOf("cid")[0]?.buttons).toEqual(["Revoke", "Details"]);
  });

  test("a former approver cannot revoke after the decision, and one who comes back can", async () => {
    const h = harness();
    const id = await asked(h);
    await approve(h, "ann", id);
    await approve(h, "bob", id);
    await members(h, "bob");
    expect(h.deliveriesOf("ann").map(({ buttons }) => buttons)).toEqual([["Details"]]);
    expect(h.deliveriesOf("cid").map(({ buttons }) => buttons)).toEqual([[]]);
    expect(h.deliveriesOf("bob").map(({ buttons }) => buttons)).toEqual([["Revoke", "Details"]]);
    await members(h, "ann", "bob", "cid");
    for (const name of approvers) expect(h.deliveriesOf(name)[0]?.buttons).toEqual(["Revoke", "Details"]);
  });

  test("an account that was unlinked gets no buttons, on cards and on notes", async () => {
    const h = harness();
    const id = await asked(h, notedScope);
    h.service.clock.pass(15 * minuteMs);
    await h.service.services.grants.tick(id);
    await h.settle();
    const offering = () => h.withButtons().filter(({ buttons }) => buttons.includes("Approve")).length;
    const before = offering();
    const { store, context, configure } = h.service;
    const people = (await store.fileIdentities()).map(({ value }) => {
      const { managedBy: _managedBy, listed: _listed, enabled: _enabled, ...person } = value;
      return person.name === "ann" ? { ...person, links: {} } : person;
    });
    await configure((await context.rulebook()).book.policies, contractRules, people);
    await h.settle();
    for (const { buttons } of h.deliveriesOf("ann")) expect(buttons).toEqual([]);
    // Ann's card and her reminder.
    expect(offering()).toBe(before - 2);
  });

  test("every card warns of too few approvers until there are enough again", async () => {
    const h = harness();
    await asked(h);
    await members(h, "ann");
    for (const { words } of all(h)) expect(words).toContain("Too few people are left");
    await members(h, "ann", "bob", "cid");
    for (const { words } of all(h)) expect(words).not.toContain("Too few people are left");
  });
}
