import { describe, expect, test } from "vitest";
import { hourMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, serviceHarnessForEach, refusalOrStatus } from "../support/service-harness.ts";

const { harness, requestCommands, approved } = serviceHarnessForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

describe("two people at once", () => {
  test("of simultaneous decisions one counts, and the other is told about it", async () => {
    const { request } = unwrap(await harness().ask("dev"));
    const answers = await Promise.all(
      ["ann", "bob", "cid"].map(async (name) =>
        requestCommands().approve(await harness().caller(name), request.id, {}),
      ),
    );
    expect(answers.map(refusalOrStatus).toSorted()).toEqual([
      "APPROVED",
      "already_decided",
      "already_decided",
    ]);
    const approvals = (await harness().audit()).filter((one) => one.action === "request.approved");
    expect(approvals).toHaveLength(1);
  });

  test("of a simultaneous denial and approval one decides, and both are told which", async () => {
    for (let round = 0; round < 5; round++) {
      const { request } = unwrap(await harness().ask("dev", { scopes: [`read:round:${round}`] }));
      const [yes, no] = await Promise.all([
        requestCommands().approve(await harness().caller("ann"), request.id, {}),
        requestCommands().deny(await harness().caller("bob"), request.id, "no"),
      ]);
      expect([
        ["APPROVED", "already_decided"],
        ["already_decided", "DENIED"],
      ]).toContainEqual([refusalOrStatus(yes), refusalOrStatus(no)]);
    }
  });

  test("of simultaneous claims one gets the credential", async () => {
    const id = await approved();
    const dev = await harness().caller("dev");
    const answers = await Promise.all(Array.from({ length: 8 }, () => requestCommands().claim(dev, id)));
    expect(answers.map(refusalOrStatus).toSorted()).toEqual([
      "ACTIVE",
      ...Array.from({ length: 7 }, () => "already_claimed"),
    ]);
  });

  test("the same request twice at once is stored once", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => harness().ask("dev")));
    expect(answers.map(refusalOrStatus).toSorted()).toEqual([
      "PENDING",
      ...Array.from({ length: 5 }, () => "duplicate_request"),
    ]);
  });

  test("maxUsage is exact under concurrency", async () => {
    await harness().configure([
      autoPolicy("auto", {
        maxUsage: 5,
        conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }],
      }),
    ]);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => harness().ask("dev", { scopes: [`read:dev:${n}`] })),
    );
    const said = answers.map(refusalOrStatus);
    expect(said.filter((one) => one === "ACTIVE")).toHaveLength(5);
    expect(said.filter((one) => one === "limit_reached")).toHaveLength(7);
  });

  test("an exhausted auto policy is replaced by the next approval policy", async () => {
    await harness().configure([
      autoPolicy("auto", { maxUsage: 1, priority: 5 }),
      approvalPolicy("people", { stages: [stageBy("group:dba")] }),
    ]);
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:1"] }))).toBe("ACTIVE");
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:2"] }))).toBe("PENDING");
  });

  test("a usage period frees uses as they age", async () => {
    await harness().configure([autoPolicy("auto", { maxUsage: 1, usagePeriodMs: hourMs })]);
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:1"] }))).toBe("ACTIVE");
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:2"] }))).toBe("limit_reached");
    harness().clock.pass(hourMs);
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:2"] }))).toBe("ACTIVE");
  });
});

describe("duplicates and limits", () => {
  test("the same set of scopes in any order is a duplicate while open, and not afterwards", async () => {
    const first = unwrap(await harness().ask("dev", { scopes: ["read:a:1", "read:a:2"] }));
    const again = await harness().ask("dev", {
      scopes: ["read:a:2", "read:a:1"],
      reason: "other",
      duration: "1h",
    });
    expect(again).toMatchObject({ refused: "duplicate_request", existing: first.request.id });
    unwrap(await requestCommands().cancel(await harness().caller("dev"), first.request.id));
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:2", "read:a:1"] }))).toBe("PENDING");
  });

  test("access that the clock has ended is no duplicate and not counted, even before a sweep", async () => {
    await harness().configure([approvalPolicy("dba", { windowMs: hourMs, stages: [stageBy("group:dba")] })], {
      limits: { pendingPerIdentity: 1, activePerIdentity: 1 },
    });
    unwrap(await harness().ask("dev"));
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:other:db"] }))).toBe("limit_reached");
    harness().clock.pass(hourMs);
    expect(refusalOrStatus(await harness().ask("dev"))).toBe("PENDING");
  });

  test("active grants are limited at the claim, and with auto-approval at the request", async () => {
    await harness().configure([autoPolicy("auto")], {
      limits: { pendingPerIdentity: 9, activePerIdentity: 1 },
    });
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:1"] }))).toBe("ACTIVE");
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:2"] }))).toBe("limit_reached");
    harness().clock.pass(4 * hourMs);
    expect(refusalOrStatus(await harness().ask("dev", { scopes: ["read:a:2"] }))).toBe("ACTIVE");
  });

  test("access that the clock has ended does not count at the claim, even before a sweep", async () => {
    await harness().configure([approvalPolicy("dba", { stages: [stageBy("group:dba")] })], {
      limits: { pendingPerIdentity: 9, activePerIdentity: 1 },
    });
    unwrap(
      await requestCommands().claim(await harness().caller("dev"), await approved({ scopes: ["read:a:1"] })),
    );
    const next = await approved({ scopes: ["read:a:2"] });
    expect(refusalOrStatus(await requestCommands().claim(await harness().caller("dev"), next))).toBe(
      "limit_reached",
    );
    harness().clock.pass(4 * hourMs);
    expect(refusalOrStatus(await requestCommands().claim(await harness().caller("dev"), next))).toBe(
      "ACTIVE",
    );
  });
});
