import { expect, test } from "vitest";
import { present } from "../../src/core/assert.ts";
import { parseId } from "../../src/core/ids.ts";
import { parseSelector } from "../../src/core/people.ts";
import { emptyRules, type Policy, type Rules } from "../../src/core/policy.ts";
import { minuteMs } from "../../src/core/time.ts";
import { linkSubject } from "../../src/service/copies.ts";
import type { CopySubject } from "../../src/service/ports.ts";
import { approvalPolicy, stageBy } from "../core/support/policies.ts";
import type { Office } from "../service/support/office.ts";

/** A request's card as somebody reads it now. */
export interface ShownCopy {
  readonly words: string;
  readonly buttons: readonly string[];
}

/** A platform whose messages are kept true, with people on it and one channel. */
export interface CopiesHouse {
  readonly office: Office;
  settle(): Promise<void>;
  /** The copies this person sees, in the order they were posted. */
  copiesOf(name: string): readonly ShownCopy[];
  copiesInChannel(): readonly ShownCopy[];
  /** Everything that this person has got so far is deleted. */
  deleteCopiesOf(name: string): void;
  /** Every message of the platform that has a button on it, by the platform's own id. */
  withButtons(): readonly { readonly id: string; readonly buttons: readonly string[] }[];
  /** From now on nothing gets through to this person, or with null to anybody. */
  fail(name: string | null): void;
  heal(): void;
}

/** Of {@link contractScope}, and of {@link notedScope} with a reminder and an escalation, so that there are notes too. */
export const contractPolicies = (channel: string): readonly Policy[] => [
  approvalPolicy(
    "pair",
    { stages: [stageBy("group:dba", { required: 2 })], channels: [channel] },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "pair:" }] },
  ),
  approvalPolicy(
    "noted",
    {
      stages: [
        stageBy("group:dba", {
          required: 2,
          remindersMs: [10 * minuteMs],
          slaMs: 30 * minuteMs,
          escalateTo: [[present(parseSelector("cto@company.com"), "cto")]],
        }),
      ],
      channels: [channel],
    },
    { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "noted:" }] },
  ),
];

/** Who is asked to link somebody, and who reviews what dev takes in an emergency. */
export const contractRules: Partial<Rules> = {
  breakGlass: {
    ...emptyRules.breakGlass,
    allowed: [{ kind: "group", group: "oncall" }],
    review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "dba" }] },
  },
  chatRoles: { admin: [present(parseSelector("cto@company.com"), "cto")], auditor: [] },
};

/** What dev asks for here is decided by two of ann, bob and cid, and also posted in the channel. */
export const contractScope = "read:pair:x";
export const notedScope = "read:noted:x";

/** What holds for the copies of a card on every platform that keeps them. */
export function copiesContract(house: () => CopiesHouse): void {
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

  /** The members of group:dba from now on, by a reload of what the house runs on beside the contract's rules. */
  const members = async (h: CopiesHouse, ...names: readonly string[]): Promise<void> => {
    const { store, context, configure } = h.office;
    const people = (await store.fileIdentities()).map(({ value }) => {
      const { managedBy: _managedBy, listed: _listed, enabled: _enabled, ...person } = value;
      const others = person.groups.filter((group) => group !== "dba");
      return { ...person, groups: names.includes(person.name) ? [...others, "dba"] : others };
    });
    await configure((await context.rulebook()).book.policies, contractRules, people);
    await h.settle();
  };

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

  test("who leaves the reviewers of an emergency has nothing to judge any more and reads why", async () => {
    const h = house();
    await members(h, ...approvers);
    const answer = await h.office.ask("dev", { scopes: [contractScope], duration: "1h", breakGlass: true });
    const id = "request" in answer ? answer.request.id : answer.detail;
    await h.office.services.desk.claim(await h.office.caller("dev"), id);
    await h.settle();
    h.office.clock.pass(90 * minuteMs);
    await h.office.services.grants.tick(id);
    await h.settle();
    const judging = () => h.withButtons().filter(({ buttons }) => buttons.includes("Justified")).length;
    // A card and a note for each of the three.
    expect(judging()).toBe(6);
    await members(h, "ann", "bob");
    expect(judging()).toBe(4);
    for (const { words, buttons } of h.copiesOf("cid")) {
      expect(buttons).toEqual([]);
      expect(words).toContain("You can no longer review this");
    }
    await members(h);
    expect(judging()).toBe(0);
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
