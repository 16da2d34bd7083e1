import { describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { makeId } from "../../../src/core/values/ids.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import type { RequestView } from "../../../src/service/views/request-view.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { allStaff, unwrap, serviceHarnessForEach, staff } from "../support/service-harness.ts";

const dba = approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })] });
const { harness, requestCommands } = serviceHarnessForEach(() => [dba]);

const view = async (id: string): Promise<RequestView> => {
  const read = await harness().services.requestQueries.read(await harness().caller("cto", "auditor"), id);
  return "refused" in read ? expect.fail(read.detail) : read;
};

const asked = async (): Promise<string> => unwrap(await harness().ask("dev")).request.id;

const approve = async (name: string, id: string): Promise<void> =>
  void unwrap(await requestCommands().approve(await harness().caller(name), id, {}));

/** From now on nobody is in group:dba, ann has another name and address, bob is deactivated, cid is out of the file. */
const everybodyChanges = async (): Promise<void> => {
  await harness().configure(
    [dba],
    {},
    allStaff
      .filter((one) => one.name !== "cid")
      .map((one) =>
        one.name === "ann"
          ? { ...staff("ann"), name: "Ann Other", email: "other@company.com" }
          : { ...one, groups: [] },
      ),
  );
  await harness().services.directory.change(await harness().caller("cto", "admin"), "id_bob", {
    active: false,
  });
};

const person = (name: string, status: string) =>
  expect.objectContaining({
    identityId: `id_${name}`,
    name,
    email: `${name}@company.com`,
    stage: 1,
    status,
  });

describe("a decision keeps its approvals when people join, leave or are renamed", () => {
  const endings: readonly [status: string, given: number, end: (id: string) => Promise<unknown>][] = [
    ["APPROVED", 2, async () => {}],
    ["ACTIVE", 2, async (id) => requestCommands().claim(await harness().caller("dev"), id)],
    [
      "COMPLETED",
      2,
      async (id) => {
        await requestCommands().claim(await harness().caller("dev"), id);
        await requestCommands().complete(await harness().caller("dev"), id);
      },
    ],
    [
      "REVOKED",
      2,
      async (id) => requestCommands().revoke(await harness().caller("cto", "admin"), id, "enough"),
    ],
    ["DENIED", 1, async (id) => requestCommands().deny(await harness().caller("bob"), id, "no")],
    ["CANCELLED", 1, async (id) => requestCommands().cancel(await harness().caller("dev"), id)],
    [
      "TIMED_OUT",
      1,
      async (id) => {
        harness().clock.pass(48 * hourMs);
        await harness().services.grants.tick(id);
      },
    ],
  ];
  test.each(endings)("%s", async (status, given, end) => {
    const id = await asked();
    await approve("ann", id);
    if (given === 2) await approve("bob", id);
    await end(id);
    const before = await view(id);
    expect(before).toMatchObject({ status, approvals: [{ stage: 1, required: 2, given }] });
    expect(before.approvers).toEqual([
      person("ann", "APPROVED"),
      person("bob", given === 2 ? "APPROVED" : status === "DENIED" ? "DENIED" : "NOT_NEEDED"),
      person("cid", "NOT_NEEDED"),
    ]);
    await everybodyChanges();
    expect(await view(id)).toEqual(before);
    const { rows } = await harness().store.requests({ now: harness().clock.now() }, { limit: 5 });
    expect(rows.map((row) => row.request.value.decidedApprovals?.stages[0]?.given)).toEqual([given]);
  });

  test("an open extension that ends with its access", async () => {
    const id = await asked();
    await approve("ann", id);
    await approve("bob", id);
    unwrap(await requestCommands().claim(await harness().caller("dev"), id));
    const more = unwrap(
      await requestCommands().extend(await harness().caller("dev"), id, { duration: "1h", reason: "more" }),
    );
    await approve("cid", more.request.id);
    unwrap(await requestCommands().complete(await harness().caller("dev"), id));
    const before = await view(more.request.id);
    expect(before).toMatchObject({ status: "CANCELLED", approvals: [{ given: 1 }] });
    await everybodyChanges();
    expect(await view(more.request.id)).toEqual(before);
  });

  test("its card shows the same", async () => {
    const id = await asked();
    await approve("ann", id);
    await approve("bob", id);
    await everybodyChanges();
    const card = await harness().services.cards.cardFor(id, "channel", null);
    expect(card?.request.approvals).toEqual([{ stage: 1, required: 2, given: 2 }]);
    expect(card?.request.approvers[0]).toMatchObject({ name: "ann", email: "ann@company.com" });
  });
});

test("a request that timed out unnoticed keeps its approvals although people have changed since", async () => {
  const id = await asked();
  await approve("ann", id);
  harness().clock.pass(48 * hourMs);
  await everybodyChanges();
  expect(await view(id)).toMatchObject({ status: "TIMED_OUT", approvals: [{ required: 2, given: 1 }] });
  await harness().services.grants.tick(id);
  expect(await view(id)).toMatchObject({ status: "TIMED_OUT", approvals: [{ required: 2, given: 1 }] });
});

test("an approval that no longer counted when others decided does not count afterwards", async () => {
  const id = await asked();
  await approve("ann", id);
  await harness().configure(
    [dba],
    {},
    allStaff.map((one) => (one.name === "ann" ? { ...one, groups: [] } : one)),
  );
  await approve("bob", id);
  await approve("cid", id);
  await harness().configure([dba]);
  expect(await view(id)).toMatchObject({ status: "APPROVED", approvals: [{ required: 2, given: 2 }] });
});

test("while pending, people who leave do not count, and voters keep their name and role", async () => {
  const id = await asked();
  await approve("ann", id);
  await harness().configure(
    [dba],
    {},
    allStaff.map((one) => (one.name === "ann" ? { ...staff("ann"), name: "Ann Other" } : one)),
  );
  const now = await view(id);
  expect(now.approvals).toEqual([{ stage: 1, required: 2, given: 0 }]);
  expect(now.approvers.at(-1)).toMatchObject({ name: "ann", status: "APPROVED", as: ["group:dba"] });
  const given = (await harness().audit()).find((row) => row.action === "approval.given");
  expect(given?.data).toMatchObject({ stages: [1], as: ["group:dba"] });
});

test("a request decided by an earlier version counts its votes, whatever the group is now", async () => {
  const id = await asked();
  await approve("ann", id);
  await approve("bob", id);
  const found = assertPresent(await harness().store.request(makeId("request", id.slice("jit_".length))), id);
  const { decidedApprovals, ...earlier } = found.request.value;
  expect(decidedApprovals).toBeDefined();
  const value = {
    ...earlier,
    votes: earlier.votes.map(({ name: _name, email: _email, as: _as, ...vote }) => vote),
  };
  await harness().store.commit({
    expects: [{ kind: "request", id, version: found.request.version }],
    writes: [{ kind: "request", value, dueAt: null }],
    unique: [],
    counters: [],
    audit: [],
    effects: [],
  });
  await everybodyChanges();
  const now = await view(id);
  expect(now.approvals).toEqual([{ stage: 1, required: 2, given: 2 }]);
  expect(now.approvers.map((one) => [one.identityId, one.status])).toEqual([
    ["id_ann", "APPROVED"],
    ["id_bob", "APPROVED"],
    ["id_cid", "NOT_NEEDED"],
  ]);
});
