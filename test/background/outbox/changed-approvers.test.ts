import { describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { byDba, changingPeople, ctoAdministers } from "../../service/support/directory-harness.ts";
import { allStaff } from "../../service/support/service-harness.ts";
import { failAsDown } from "./support/fake-messenger.ts";

const { harness, relay, slack, email, change, members, load, ask, approve, view, actions } = changingPeople();

const cardOf = (name: string) => assertPresent(slack().cardsAt(`@id_${name}`).at(-1), `${name}'s card`);

describe("a person who becomes able to decide", () => {
  test("as a new member of a group gets the notice and the card; nobody is notified again", async () => {
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

  test("as the new manager of the requester is notified, and the former one sees that they no longer decide", async () => {
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

  test("again gets a note below their card", async () => {
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

  test("is asked once, however often people change and are reviewed", async () => {
    await ask();
    await members("dba", "ann", "bob", "cid", "sam");
    await members("security", "sec");
    await harness().services.approverReviews.reviewBatch(0, null);
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toHaveLength(1);
    expect(email().noticesAt("@id_sam")).toEqual(["approver_added"]);
  });

  test("and approves before they are asked is not asked afterwards", async () => {
    const id = await ask();
    const people = allStaff.map((person) =>
      person.name === "sam" ? { ...person, groups: ["dba"] } : person,
    );
    await harness().configure([byDba], ctoAdministers, people);
    expect(await approve("sam", id)).toBe("PENDING");
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toEqual([]);
    expect(email().noticesAt("@id_sam")).toEqual([]);
    expect(await actions(id)).toEqual(["request.submitted"]);
  });

  test("is not notified of a request that was decided in the meantime", async () => {
    const id = await ask();
    slack().failure = failAsDown;
    await members("dba", "ann", "bob", "cid", "sam");
    await approve("ann", id);
    await approve("bob", id);
    slack().failure = () => undefined;
    harness().clock.pass(10 * minuteMs);
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toEqual([]);
  });
});

describe("a person who can no longer decide", () => {
  test("sees why on their card, without buttons; those asked by e-mail get an e-mail", async () => {
    const id = await ask();
    await members("dba", "bob", "cid");
    expect(cardOf("ann")).toMatchObject({ actions: [], noLongerAskedAs: ["group:dba"] });
    expect(email().noticesAt("@id_ann")).toEqual(["submitted", "approver_removed"]);
    expect(cardOf("bob").actions).toContain("approve");
    const record = (await harness().audit()).find((row) => row.action === "request.approvers_changed");
    expect(record?.data).toEqual({ joined: [], left: [{ person: "id_ann", stage: 1 }] });
    expect((await view(id)).approvers.map(({ identityId }) => identityId)).toEqual(["id_bob", "id_cid"]);
    await approve("bob", id);
    await approve("cid", id);
    await relay().drain();
    expect(cardOf("ann").actions).toEqual([]);
    expect((await view(id)).approvers.map(({ identityId }) => identityId)).toEqual(["id_bob", "id_cid"]);
  });

  test("after approving sees that the approval no longer counts", async () => {
    const id = await ask();
    await approve("ann", id);
    await members("dba", "bob", "cid");
    expect(cardOf("ann")).toMatchObject({ actions: ["details"], noLongerAskedAs: ["group:dba"] });
    expect((await view(id)).approvals).toEqual([{ stage: 1, required: 2, given: 0 }]);
  });

  test("and is deactivated has no buttons left", async () => {
    await ask();
    const admin = await harness().caller("cto", "admin");
    await harness().services.directory.change(admin, "id_ann", { active: false });
    await relay().drain();
    expect(cardOf("ann").actions).toEqual([]);
  });

  test("before their card is sent gets none", async () => {
    await ask();
    slack().failure = (address) => (address === "@id_sam" ? failAsDown() : undefined);
    await members("dba", "ann", "bob", "cid", "sam");
    await members("dba", "ann", "bob", "cid");
    slack().failure = () => undefined;
    harness().clock.pass(10 * minuteMs);
    await relay().drain();
    expect(slack().cardsAt("@id_sam")).toEqual([]);
    // They are asked when they can decide again.
    await members("dba", "ann", "bob", "cid", "sam");
    expect(slack().cardsAt("@id_sam")).toHaveLength(1);
  });
});
