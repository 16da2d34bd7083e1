import { describe, expect, test } from "vitest";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import type { Store } from "../../../src/service/ports/store.ts";
import { createServices } from "../../../src/service/services.ts";
import { byDba, bySecurity, changingPeople, ctoAdministers } from "../support/directory-harness.ts";
import { allStaff, unwrap, refusalOrStatus } from "../support/service-harness.ts";

const { harness, relay, load, change, members, ask, approve, view, stranded } = changingPeople();

describe("requesting the access of a stranded request again", () => {
  const strandedAndAskedAgain = async (): Promise<readonly [string, string]> => {
    const first = await ask();
    await members("dba", "ann");
    await load(bySecurity);
    const second = unwrap(await harness().ask("dev")).request.id;
    await relay().drain();
    return [first, second];
  };

  test("is allowed once: the second request is pending, and a third is its duplicate", async () => {
    const [first, second] = await strandedAndAskedAgain();
    expect(await view(first)).toMatchObject({ status: "PENDING", stranded: { stage: 1 } });
    expect(await harness().ask("dev")).toMatchObject({ refused: "duplicate_request", existing: second });
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:other:1"] }))).toBe("PENDING");
  });

  test("is allowed once more when the second is stranded too", async () => {
    const [first, second] = await strandedAndAskedAgain();
    await change(
      ({ name }) => ({ groups: name === "ann" ? ["lone"] : [] }),
      approvalPolicy("lone", { stages: [stageBy("group:lone")] }),
    );
    const third = await ask();
    expect(await approve("ann", third)).toBe("APPROVED");
    for (const id of [first, second]) expect(await view(id)).toMatchObject({ status: "CANCELLED" });
  });

  test("is a duplicate again once enough people can decide the first", async () => {
    const first = await ask();
    await members("dba", "ann");
    await members("dba", "ann", "bob");
    expect(await harness().ask("dev")).toMatchObject({ refused: "duplicate_request", existing: first });
  });

  test("approving the second cancels the first in the same commit", async () => {
    const [first, second] = await strandedAndAskedAgain();
    expect(await approve("sec", second)).toBe("APPROVED");
    expect(await view(first)).toMatchObject({
      status: "CANCELLED",
      endReason: `the same access was approved in ${second}`,
    });
    const rows = await harness().audit();
    const approved = rows.findIndex((row) => row.action === "request.approved");
    expect(rows.slice(approved, approved + 2).map((row) => row.action)).toEqual([
      "request.approved",
      "request.cancelled",
    ]);
    expect(await stranded()).toBe(0);
    expect(await harness().ask("dev")).toMatchObject({ refused: "duplicate_request", existing: second });
  });

  test("approving the recovered first request cancels the second", async () => {
    const [first, second] = await strandedAndAskedAgain();
    await load(byDba);
    await members("dba", "ann", "bob");
    expect((await view(first)).stranded).toBeNull();
    expect(await approve("ann", first)).toBe("PENDING");
    expect(await approve("bob", first)).toBe("APPROVED");
    expect(await view(second)).toMatchObject({ status: "CANCELLED" });
    expect(await harness().ask("dev")).toMatchObject({ refused: "duplicate_request", existing: first });
  });

  test("of two concurrent approvals of both requests exactly one succeeds", async () => {
    const [first, second] = await strandedAndAskedAgain();
    await load(byDba);
    await members("dba", "ann", "bob");
    expect(await approve("ann", first)).toBe("PENDING");
    // Today's policies demand nothing beside what each of the two has frozen.
    await load(autoPolicy("auto"));
    const said = await Promise.all([approve("bob", first), approve("sec", second)]);
    expect(said.toSorted()).toEqual(["APPROVED", "already_decided"]);
    const statuses = [(await view(first)).status, (await view(second)).status];
    expect(statuses.toSorted()).toEqual(["APPROVED", "CANCELLED"]);
    expect((await harness().audit()).filter((row) => row.action === "request.approved")).toHaveLength(1);
  });

  test("a concurrent approval and request both count: one is approved, or one stays pending next to it", async () => {
    const first = await ask();
    await members("dba", "ann");
    await members("dba", "ann", "bob");
    await approve("ann", first);
    const [said, asked] = await Promise.all([approve("bob", first), harness().ask("dev")]);
    expect([said, refusalOrStatus(asked)]).toEqual(["APPROVED", "duplicate_request"]);
  });

  test("a request made while the first is being approved ends with that approval", async () => {
    const first = await ask();
    await members("dba", "ann");
    // Enough people again, and nobody has looked at what waits: it still reads as stranded.
    const people = allStaff.map((one) => (one.name === "cid" ? { ...one, groups: [] } : one));
    await harness().configure([byDba], ctoAdministers, people);
    expect(await approve("ann", first)).toBe("PENDING");
    const between: string[] = [];
    const store: Store = {
      ...harness().store,
      commit: async (step) => {
        if (between.length === 0) between.push(unwrap(await harness().ask("dev")).request.id);
        return harness().store.commit(step);
      },
    };
    const { requestCommands } = createServices(
      { ...harness().context, store },
      async () => {},
      (fault) => {
        throw fault;
      },
    );
    expect(refusalOrStatus(await requestCommands.approve(await harness().caller("bob"), first, {}))).toBe(
      "APPROVED",
    );
    expect(await view(between[0] ?? "")).toMatchObject({ status: "CANCELLED" });
  });

  test("an auto-approved second request ends the first in the same commit", async () => {
    const first = await ask();
    await members("dba", "ann");
    await load(autoPolicy("auto"));
    expect(refusalOrStatus(await harness().ask("dev"))).toBe("ACTIVE");
    expect(await view(first)).toMatchObject({ status: "CANCELLED", approvals: [{ given: 0 }] });
  });

  test("a stranded extension is replaced by the next, because a grant has one at a time", async () => {
    const id = await ask();
    await approve("ann", id);
    await approve("bob", id);
    unwrap(await harness().services.requestCommands.claim(await harness().caller("dev"), id));
    const extend = async () =>
      harness().services.requestCommands.extend(await harness().caller("dev"), id, {
        duration: "1h",
        reason: "more",
      });
    const first = unwrap(await extend()).request.id;
    expect(refusalOrStatus(await extend())).toBe("duplicate_request");
    await members("dba", "ann");
    await load(bySecurity);
    const second = unwrap(await extend()).request.id;
    expect(await view(first)).toMatchObject({ status: "CANCELLED", endReason: `asked again in ${second}` });
    expect(await approve("sec", second)).toBe("COMPLETED");
  });
});
