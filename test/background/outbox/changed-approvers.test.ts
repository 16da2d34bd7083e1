import { describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { byDba, changingPeople, ctoAdministers } from "../../service/support/directory-harness.ts";
import { allStaff } from "../../service/support/service-harness.ts";
import { isDown } from "./support/fake-messenger.ts";

const {
  office: harness,
  relay,
  slack,
  email,
  change,
  members,
  load,
  ask,
  approve,
  view,
  actions,
} = changingPeople();

const cardOf = (name: string) => assertPresent(slack().cardsAt(`@id_${name}`).at(-1), `${name}'s card`);

describe("somebody who becomes able to decide", () => {
  test("as a new member of a group is told and gets the card; nobody else is told again", async () => {
    const id = await ask();
    await members("dba", "ann", "bob", "cid", "sam");
    expect(cardOf("sam")).toMatchObject({ askedAs: ["group:dba"], noLongerAskedAs: null });
    expect(cardOf("sam").actions).toContain("approve");
    expect(email().noticesAt("@id_sam")).toEqual(["approver_added"]);
    for (const name of ["ann", "bob", "cid"]) {
      expect(slack().cardsAt(`@id_${name}`)).toHaveLength(1);
      expect(slack().noticesAt(`@id_${name}`)).toEqual([]);
      expect(email().noticesAt(`@id_${name}`)).toEqual(["submitted"]);
    }
    expect(email().noticesAt("@id_dev")).toEqual([]);
    expect(await actions(id)).toEqual(["request.submitted", "request.approvers_changed"]);
    const record = (await harness().audit()).find((row) => row.action === "request.approvers_changed");
    expect(record?.data).toEqual({ joined: [{ person: "id_sam", stage: 1 }], left: [] });
    expect(await approve("sam", id)).toBe("PENDING");
  });

  test("as the new manager of the requester is told, and the old one sees that it is theirs no more", async () => {
    await load(approvalPolicy("boss", { stages: [stageBy("manager")] }));
    const id = await ask();
    const manager = (await harness().caller("cto")).identity.id;
    await change(({ name }) => (name === "dev" ? { managerId: manager } : {}));
    expect(cardOf("cto").actions).toContain("approve");
    expect(cardOf("lead")).toMatchObject({ actions: [], noLongerAskedAs: ["manager"] });
    expect(await approve("lead", id)).toBe("not_an_approver");
    expect(await approve("cto", id)).toBe("APPROVED");
  });

  test("in a stage that is not open yet is asked when it opens", async () => {
    await load(approvalPolicy("two", { stages: [stageBy("group:dba"), stageBy("group:security")] }));
    const id = await ask();
    await members("security", "sec", "cto");
    expect(slack().cardsAt("@id_cto")).toEqual([]);
    await approve("ann", id);
    await relay().drain();
    expect(cardOf("cto").actions).toContain("approve");
  });

  test("once more is told below the card that they have", async () => {
    const id = await ask();
    await members("dba", "bob", "cid");
    expect(cardOf("ann").actions).toEqual([]);
    await members("dba", "ann", "bob", "cid");
    expect(slack().cardsAt("@id_ann")).toHaveLength(1);
    expect(cardOf("ann").actions).toContain("approve");
    expect(slack().noticesAt("@id_ann")).toEqual(["approver_added"]);
    expect(email().noticesAt("@id_ann")).toEqual(["submitted", "approver_removed", "approver_added"]);
    expect(await approve("ann", id)).toBe("PENDING");
  });

  test("is asked once, however often people change and whoever looks", async () => {
    await ask();
    await members("dba", "ann", "bob", "cid", "sam");
    await members("security", "sec");
    await harness().services.approverReviews.reviewBatch(0, null);
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toHaveLength(1);
    expect(email().noticesAt("@id_sam")).toEqual(["approver_added"]);
  });

  test("and does so before anybody has looked is not asked for what they have done", async () => {
    const id = await ask();
    const people = allStaff.map((one) => (one.name === "sam" ? { ...one, groups: ["dba"] } : one));
    await harness().configure([byDba], ctoAdministers, people);
    expect(await approve("sam", id)).toBe("PENDING");
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toEqual([]);
    expect(email().noticesAt("@id_sam")).toEqual([]);
    expect(await actions(id)).toEqual(["request.submitted"]);
  });

  test("by a request that is decided meanwhile is told nothing", async () => {
    const id = await ask();
    slack().trouble = isDown;
    await members("dba", "ann", "bob", "cid", "sam");
    await approve("ann", id);
    await approve("bob", id);
    slack().trouble = () => undefined;
    harness().clock.pass(10 * minuteMs);
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toEqual([]);
  });
});

describe("somebody who can no longer decide", () => {
  test("sees that and why on their card, with nothing to press; a letter says it to who was asked by one", async () => {
    const id = await ask();
    await members("dba", "bob", "cid");
    expect(cardOf("ann")).toMatchObject({ actions: [], noLongerAskedAs: ["group:dba"] });
    expect(email().noticesAt("@id_ann")).toEqual(["submitted", "approver_removed"]);
    expect(cardOf("bob").actions).toContain("approve");
    const record = (await harness().audit()).find((row) => row.action === "request.approvers_changed");
    expect(record?.data).toEqual({ joined: [], left: [{ person: "id_ann", stage: 1 }] });
    expect((await view(id)).approvers.map((one) => one.identityId)).toEqual(["id_bob", "id_cid"]);
    await approve("bob", id);
    await approve("cid", id);
    await relay().drain();
    expect(cardOf("ann").actions).toEqual([]);
    expect((await view(id)).approvers.map((one) => one.identityId)).toEqual(["id_bob", "id_cid"]);
  });

  test("who has approved sees that it counts no more", async () => {
    const id = await ask();
    await approve("ann", id);
    await members("dba", "bob", "cid");
    expect(cardOf("ann")).toMatchObject({ actions: ["details"], noLongerAskedAs: ["group:dba"] });
    expect((await view(id)).approvals).toEqual([{ stage: 1, required: 2, given: 0 }]);
  });

  test("who is deactivated has no buttons left", async () => {
    await ask();
    const admin = await harness().caller("cto", "admin");
    await harness().services.directory.change(admin, "id_ann", { active: false });
    await relay().drain();
    expect(cardOf("ann").actions).toEqual([]);
  });

  test("whose card is still on its way gets none", async () => {
    await ask();
    slack().trouble = (address) => (address === "@id_sam" ? isDown() : undefined);
    await members("dba", "ann", "bob", "cid", "sam");
    await members("dba", "ann", "bob", "cid");
    slack().trouble = () => undefined;
    harness().clock.pass(10 * minuteMs);
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toEqual([]);
    // And is asked all the same when they may decide again.
    await members("dba", "ann", "bob", "cid", "sam");
    expect(slack().cardsAt("@id_sam")).toHaveLength(1);
  });
});
