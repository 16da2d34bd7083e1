import { describe, expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { byDba, changingPeople, ctoAdministers } from "../support/directory-harness.ts";
import { allStaff, unwrap } from "../support/service-harness.ts";

const { harness, relay, slack, load, members, ask, approve, view, actions, stranded } = changingPeople();

const strandings = async (id: string): Promise<readonly string[]> =>
  (await actions(id)).filter((one) => one !== "request.approvers_changed");

describe("a waiting request that can no longer reach its quorum", () => {
  const changes: readonly [how: string, change: () => Promise<unknown>][] = [
    ["a reload", () => members("dba", "ann")],
    [
      "a deactivation",
      async () => {
        const admin = await harness().caller("cto", "admin");
        await harness().services.directory.change(admin, "id_bob", { active: false });
        return harness().services.directory.change(admin, "id_cid", { active: false });
      },
    ],
    [
      "people who leave the file",
      () =>
        harness().configure(
          [byDba],
          ctoAdministers,
          allStaff.filter((one) => one.name !== "bob" && one.name !== "cid"),
        ),
    ],
  ];
  test.each(changes)("by %s: it is recorded, counted and announced, and stays pending", async (_, change) => {
    const id = await ask();
    await change();
    await relay().drain();
    expect(await view(id)).toMatchObject({ status: "PENDING", stranded: { stage: 1 } });
    expect(await stranded()).toBe(1);
    expect(await strandings(id)).toEqual(["request.submitted", "request.stranded"]);
    const record = (await harness().audit()).find((row) => row.action === "request.stranded");
    expect(record?.data).toEqual({ stage: 1, required: 2 });
    expect(slack().noticesAt("@id_dev")).toEqual(["stranded"]);
    expect(slack().noticesAt("@id_cto")).toEqual(["stranded"]);
    // Said once, however often people change.
    await harness().services.approverReviews.reviewBatch(0, null);
    await relay().drain();
    expect(await strandings(id)).toEqual(["request.submitted", "request.stranded"]);
    harness().clock.pass(48 * hourMs);
    expect(await stranded()).toBe(0);
    expect(await view(id)).toMatchObject({ status: "TIMED_OUT", stranded: null });
  });

  test("an identity change over the API or a leaving manager strands it as well", async () => {
    const admin = await harness().caller("cto", "admin");
    const made = await harness().services.directory.create(admin, {
      id: makeId("identity", "new"),
      kind: "HUMAN",
      email: "new@company.com",
      name: "new",
      groups: ["solo"],
      links: {},
      active: true,
    });
    expect(isRefusal(made)).toBe(false);
    await load(approvalPolicy("solo", { stages: [stageBy("group:solo")] }));
    const id = await ask();
    await harness().services.directory.change(admin, "id_new", { groups: [] });
    await relay().drain();
    expect((await view(id)).stranded).not.toBeNull();

    await load(approvalPolicy("boss", { stages: [stageBy("manager")] }));
    const other = unwrap(await harness().ask("dev", { scopes: ["read:other:1"] })).request.id;
    await harness().services.directory.change(admin, "id_lead", { active: false });
    await relay().drain();
    expect((await view(other)).stranded).not.toBeNull();
  });

  test("is found by the sweep alone, for example after an upgrade", async () => {
    const id = await ask();
    await harness().configure(
      [byDba],
      ctoAdministers,
      allStaff.map((one) => ({ ...one, groups: [] })),
    );
    expect((await view(id)).stranded).toBeNull();
    expect(await harness().services.approverReviews.reviewBatch(0, null)).toBeNull();
    expect((await view(id)).stranded).not.toBeNull();
  });

  test("recovers when enough people can decide it; that is recorded, announced and counted", async () => {
    const id = await ask();
    await members("dba", "ann");
    await members("dba", "ann", "sam");
    expect(await view(id)).toMatchObject({ status: "PENDING", stranded: null });
    expect(await stranded()).toBe(0);
    expect(await strandings(id)).toEqual(["request.submitted", "request.stranded", "request.reachable"]);
    expect(slack().noticesAt("@id_dev")).toEqual(["stranded", "reachable"]);
    expect(slack().noticesAt("@id_cto")).toEqual(["stranded", "reachable"]);
    expect(await approve("ann", id)).toBe("PENDING");
    expect(await approve("sam", id)).toBe("APPROVED");
  });

  test("counts given approvals: only the others are missing", async () => {
    const id = await ask();
    await approve("ann", id);
    await members("dba", "ann", "bob");
    expect((await view(id)).stranded).toBeNull();
    await members("dba", "ann");
    expect((await view(id)).stranded).not.toBeNull();
  });
});
