import { expect, test } from "vitest";
import { present } from "../../src/core/values/assert.ts";
import { parseId } from "../../src/core/values/ids.ts";
import { minuteMs } from "../../src/core/values/time.ts";
import { linkSubject } from "../../src/service/views/delivery-status.ts";
import type { CopySubject } from "../../src/service/ports/store.ts";
import {
  contractRules,
  contractScope,
  members,
  notedScope,
  type CopiesHouse,
  type ShownCopy,
} from "./deliveries-harness.ts";
import { reviewerCopiesContract } from "./reviewer-deliveries-contract.ts";

/** What holds for the copies of a card on every platform that keeps them. */
export function copiesContract(house: () => CopiesHouse): void {
  reviewerCopiesContract(house);
  const approvers = ["ann", "bob", "cid"];
  const asked = async (h: CopiesHouse, scope = contractScope): Promise<string> => {
    const answer = await h.office.ask("dev", { scopes: [scope], duration: "1h" });
    await h.settle();
    return "request" in answer ? answer.request.id : answer.detail;
  };
  const approve = async (h: CopiesHouse, name: string, id: string): Promise<void> => {
    await h.office.services.desk.approve(await h.office.caller(name), id, {});
    await h.settle();
  };
  const all = (h: CopiesHouse): readonly ShownCopy[] => [
    ...approvers.flatMap((name) => h.copiesOf(name)),
    ...h.copiesInChannel(),
  ];

  test("each approver and the channel have one copy, and every step rewrites all of them in place", async () => {
    const h = house();
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

  test("after their own vote somebody's copy offers no approval any more, wherever they voted", async () => {
    const h = house();
    const id = await asked(h);
    const offered = (name: string) => h.copiesOf(name).map(({ buttons }) => buttons);
    expect(offered("ann")).toEqual([["Approve", "Deny", "Approve for less…", "Details"]]);
    await approve(h, "ann", id);
    expect(offered("ann")).toEqual([["Deny", "Details"]]);
    expect(offered("bob")).toEqual([["Approve", "Deny", "Approve for less…", "Details"]]);
    expect(h.copiesInChannel().map(({ buttons }) => buttons)).toEqual([
      ["Approve", "Deny", "Approve for less…", "Details"],
    ]);
  });

  test("when it is over every copy says who ended it and why, with nothing left to press", async () => {
    const h = house();
    const id = await asked(h);
    await h.office.services.desk.deny(await h.office.caller("cid"), id, "use the replica");
    await h.settle();
    for (const { words, buttons } of [...all(h), ...h.copiesOf("dev")]) {
      expect(words).toContain("use the replica");
      expect(words).toContain("cid");
      expect(words).toContain(id);
      expect(buttons).toEqual([]);
    }
  });

  test("one recipient who cannot be reached holds nobody up, and gets the truth of the day it works again", async () => {
    const h = house();
    h.fail("bob");
    const id = await asked(h);
    await approve(h, "ann", id);
    expect(h.copiesOf("bob")).toEqual([]);
    for (const { words } of all(h)) expect(words).toContain("1 of 2");
    expect(all(h)).toHaveLength(3);
    h.heal();
    h.office.clock.pass(10 * minuteMs);
    await h.settle();
    expect(h.copiesOf("bob")).toHaveLength(1);
    expect(h.copiesOf("bob")[0]?.words).toContain("1 of 2");
  });

  test("what is decided while the platform is down is shown when it is back", async () => {
    const h = house();
    const id = await asked(h);
    h.fail(null);
    await approve(h, "ann", id);
    await approve(h, "bob", id);
    for (const { words } of all(h)) expect(words).toContain("0 of 2");
    h.heal();
    h.office.clock.pass(10 * minuteMs);
    await h.settle();
    expect(all(h)).toHaveLength(4);
    for (const { words } of all(h)) expect(words).toContain("2 of 2");
  });

  test("a copy that was deleted is replaced by a new one, which is kept true from then on", async () => {
    const h = house();
    const id = await asked(h);
    h.deleteCopiesOf("ann");
    h.deleteCopiesOf("dev");
    await approve(h, "bob", id);
    expect(h.copiesOf("ann")).toHaveLength(1);
    expect(h.copiesOf("dev")).toHaveLength(1);
    await approve(h, "cid", id);
    for (const name of ["ann", "dev"]) {
      expect(h.copiesOf(name)).toHaveLength(1);
      expect(h.copiesOf(name)[0]?.words).toContain("2 of 2");
    }
    expect(h.copiesOf("ann")[0]?.buttons).toEqual(["Revoke", "Details"]);
    expect(h.copiesOf("dev")[0]?.buttons).toContain("Show credential");
  });

  /** Where messages are, as the store has recorded them. */
  const recorded = async (h: CopiesHouse, ...subjects: readonly CopySubject[]): Promise<string> =>
    (await h.office.store.copies(subjects)).map(({ ref }) => ref ?? "").join("\n");

  test("every message with a button is a recorded copy, and after the decision none offers to decide", async () => {
    const h = house();
    const id = await asked(h, notedScope);
    for (const passed of [15, 20]) {
      h.office.clock.pass(passed * minuteMs);
      await h.office.services.grants.tick(id);
      await h.settle();
    }
    const before = h.withButtons();
    // Three approvers have a card and a reminder, one more was asked by the escalation.
    expect(before.filter(({ buttons }) => buttons.includes("Approve")).length).toBeGreaterThan(6);
    const refs = await recorded(h, present(parseId("request", id), id));
    for (const message of before) expect(refs).toContain(`"${message.id}"`);
    await h.office.services.desk.deny(await h.office.caller("cid"), id, "use the replica");
    await h.settle();
    expect(h.withButtons()).toEqual([]);
  });

  test("a note to somebody who has voted since offers them no approval any more", async () => {
    const h = house();
    const id = await asked(h, notedScope);
    h.office.clock.pass(15 * minuteMs);
    await h.office.services.grants.tick(id);
    await h.settle();
    const offering = () => h.withButtons().filter(({ buttons }) => buttons.includes("Approve")).length;
    const before = offering();
    await approve(h, "ann", id);
    // Ann's card and her reminder.
    expect(offering()).toBe(before - 2);
  });

  test("what asks to link an account is a recorded copy, and says that it was done whoever did it", async () => {
    const h = house();
    const account = { surface: "slack", team: "T0OTHER", user: "U0NEW" } as const;
    await h.office.services.people.askForLink(account, { displayName: "New", email: null });
    await h.settle();
    const [asking] = h.withButtons();
    expect(asking?.buttons).toEqual(["Link to somebody else…"]);
    expect(await recorded(h, linkSubject(account))).toContain(`"${asking?.id}"`);
    await h.office.services.people.link(await h.office.caller("sec", "admin"), account, "id_sam");
    await h.settle();
    expect(h.withButtons()).toEqual([]);
  });

  test("what time ends is shown too", async () => {
    const h = house();
    const id = await asked(h);
    h.office.clock.pass(2 * 24 * 60 * minuteMs);
    await h.office.services.grants.tick(id);
    await h.settle();
    expect(all(h)).toHaveLength(4);
    for (const { words, buttons } of all(h)) {
      expect(words).toContain("Timed out");
      expect(buttons).toEqual([]);
    }
  });

  test("who becomes able to decide gets a copy, who no longer can sees why on theirs, with nothing to press", async () => {
    const h = house();
    const id = await asked(h);
    await members(h, "ann", "bob", "sec");
    expect(h.copiesOf("sec")).toHaveLength(1);
    expect(h.copiesOf("sec")[0]?.buttons).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    expect(h.copiesOf("cid")).toHaveLength(1);
    expect(h.copiesOf("cid")[0]?.buttons).toEqual([]);
    expect(h.copiesOf("cid")[0]?.words).toContain("You can no longer decide this");
    expect(h.copiesOf("cid")[0]?.words).toContain("dba, and you are not among them");
    expect(h.copiesOf("ann")[0]?.buttons).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await members(h, "ann", "bob", "cid");
    expect(h.copiesOf("sec")[0]?.buttons).toEqual([]);
    expect(h.copiesOf("cid")[0]?.buttons).toEqual(["Approve", "Deny", "Approve for less…", "Details"]);
    await approve(h, "ann", id);
    await approve(h, "bob", id);
    expect(h.copiesOf("sec")[0]?.buttons).toEqual([]);
    expect(h.copiesOf("cid")[0]?.buttons).toEqual(["Revoke", "Details"]);
  });

  test("who leaves the approvers after the decision has nothing to revoke any more, who comes back has", async () => {
    const h = house();
    const id = await asked(h);
    await approve(h, "ann", id);
    await approve(h, "bob", id);
    await members(h, "bob");
    expect(h.copiesOf("ann").map(({ buttons }) => buttons)).toEqual([["Details"]]);
    expect(h.copiesOf("cid").map(({ buttons }) => buttons)).toEqual([[]]);
    expect(h.copiesOf("bob").map(({ buttons }) => buttons)).toEqual([["Revoke", "Details"]]);
    await members(h, "ann", "bob", "cid");
    for (const name of approvers) expect(h.copiesOf(name)[0]?.buttons).toEqual(["Revoke", "Details"]);
  });

  test("an account that is not its owner's any more is offered nothing, on cards and on notes", async () => {
    const h = house();
    const id = await asked(h, notedScope);
    h.office.clock.pass(15 * minuteMs);
    await h.office.services.grants.tick(id);
    await h.settle();
    const offering = () => h.withButtons().filter(({ buttons }) => buttons.includes("Approve")).length;
    const before = offering();
    const { store, context, configure } = h.office;
    const people = (await store.fileIdentities()).map(({ value }) => {
      const { managedBy: _managedBy, listed: _listed, enabled: _enabled, ...person } = value;
      return person.name === "ann" ? { ...person, links: {} } : person;
    });
    await configure((await context.rulebook()).book.policies, contractRules, people);
    await h.settle();
    for (const { buttons } of h.copiesOf("ann")) expect(buttons).toEqual([]);
    // Ann's card and her reminder.
    expect(offering()).toBe(before - 2);
  });

  test("too few approvers are shown on every copy, and gone from it when there are enough again", async () => {
    const h = house();
    await asked(h);
    await members(h, "ann");
    for (const { words } of all(h)) expect(words).toContain("Too few people are left");
    await members(h, "ann", "bob", "cid");
    for (const { words } of all(h)) expect(words).not.toContain("Too few people are left");
  });
}
