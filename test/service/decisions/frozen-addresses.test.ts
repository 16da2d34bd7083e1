import { describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { makeId } from "../../../src/core/values/ids.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import { revisionOf } from "../../../src/core/access/revision.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { byDba, changingPeople } from "../support/directory-harness.ts";
import { unwrap, type allStaff } from "../support/service-harness.ts";

const byAddress = (address: string) => approvalPolicy("sec", { stages: [stageBy(address)] });
const renamed = ({ name }: (typeof allStaff)[number]) =>
  name === "sec" ? { email: "head@company.com" } : {};

const { harness, load, change, members, ask, approve, view } = changingPeople([byAddress("sec@company.com")]);

describe("an address in a frozen requirement means the person who had it then", () => {
  test("a person whose address changes in file and policy still decides, and nothing new is required", async () => {
    await load(byAddress("sec@company.com"));
    const id = await ask();
    const before = await view(id);
    await change(renamed, byAddress("head@company.com"));
    const now = await view(id);
    expect(now.approvers).toMatchObject([{ identityId: "id_sec", email: "head@company.com" }]);
    expect(now).toMatchObject({ revision: before.revision, stranded: null });
    const mine = await harness().services.requestQueries.list(
      await harness().caller("sec"),
      { approver: "me" },
      { limit: 5 },
    );
    expect(isRefusal(mine) ? mine : mine.rows.map((one) => one.id)).toEqual([id]);
    expect(await approve("sec", id)).toBe("APPROVED");
  });

  test("the next owner of the address is not asked about earlier requests", async () => {
    await load(byAddress("sec@company.com"));
    const id = await ask();
    await change(({ name }) =>
      name === "sec" ? { email: "old@company.com" } : name === "sam" ? { email: "sec@company.com" } : {},
    );
    expect(await approve("sam", id)).toBe("not_an_approver");
    // The current policy also asks the person who has the address now.
    expect(await approve("sec", id)).toBe("PENDING");
    expect(await approve("sam", id)).toBe("APPROVED");
  });

  test("groups and managers are still read at each decision", async () => {
    await load(byDba);
    const id = await ask();
    await members("dba", "bob", "sam");
    expect(await approve("ann", id)).toBe("not_an_approver");
    expect(await approve("sam", id)).toBe("PENDING");
  });

  test("a request frozen by an earlier version keeps its revision, and the person with the address decides it", async () => {
    await load(byAddress("sec@company.com"));
    const id = await ask();
    await forgetIdentities(id);
    const found = assertPresent(await harness().store.request(makeId("request", id.slice(4))), id).request
      .value;
    expect(revisionOf(found, harness().context.runtime.sha256)).toBe(found.revision);
    expect((await view(id)).revision).toBe(found.revision);
    expect(await approve("sec", id)).toBe("APPROVED");
    expect((await view(id)).revision).toBe(found.revision);
  });

  test("a request of an earlier version whose address has no owner any more is stranded and can be requested again", async () => {
    await load(byAddress("sec@company.com"));
    const id = await ask();
    await forgetIdentities(id);
    const { revision } = await view(id);
    await change(renamed, byAddress("head@company.com"));
    expect(await view(id)).toMatchObject({ status: "PENDING", stranded: { stage: 1 }, revision });
    const again = unwrap(await harness().ask("dev"));
    expect(again.request.id).not.toBe(id);
    expect(await approve("sec", again.request.id)).toBe("APPROVED");
  });
});

/** Makes the request what earlier versions stored: addresses that are bound to nobody. */
async function forgetIdentities(id: string): Promise<void> {
  const found = assertPresent(await harness().store.request(makeId("request", id.slice(4))), id);
  const { requirement } = found.request.value;
  const demands = requirement.demands.map((demand) => ({
    ...demand,
    stages: demand.stages.map((stage) => ({
      ...stage,
      approvers: stage.approvers.map((one) =>
        one.kind === "email" ? { kind: one.kind, email: one.email } : one,
      ),
    })),
  }));
  await harness().store.commit({
    expects: [{ kind: "request", id, version: found.request.version }],
    writes: [
      {
        kind: "request",
        value: { ...found.request.value, requirement: { ...requirement, demands } },
        dueAt: null,
      },
    ],
    unique: [],
    counters: [],
    audit: [],
    effects: [],
  });
}
