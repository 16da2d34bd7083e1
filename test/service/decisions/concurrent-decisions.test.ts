import { describe, expect, test } from "vitest";
import { hourMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { granted, officeForEach, saidTo } from "../support/service-harness.ts";

const { office, desk, approved } = officeForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

describe("two people at once", () => {
  test("of simultaneous decisions one counts and the other is told the truth", async () => {
    const { request } = granted(await office().ask("dev"));
    const answers = await Promise.all(
      ["ann", "bob", "cid"].map(async (name) => desk().approve(await office().caller(name), request.id, {})),
    );
    expect(answers.map(saidTo).toSorted()).toEqual(["APPROVED", "already_decided", "already_decided"]);
    const approvals = (await office().audit()).filter((one) => one.action === "request.approved");
    expect(approvals).toHaveLength(1);
  });

  test("a denial is never lost to a simultaneous approval: one of them decides, and both hear which", async () => {
    for (let round = 0; round < 5; round++) {
      const { request } = granted(await office().ask("dev", { scopes: [`read:round:${round}`] }));
      const [yes, no] = await Promise.all([
        desk().approve(await office().caller("ann"), request.id, {}),
        desk().deny(await office().caller("bob"), request.id, "no"),
      ]);
      expect([
        ["APPROVED", "already_decided"],
        ["already_decided", "DENIED"],
      ]).toContainEqual([saidTo(yes), saidTo(no)]);
    }
  });

  test("of simultaneous claims one gets the credential", async () => {
    const id = await approved();
    const dev = await office().caller("dev");
    const answers = await Promise.all(Array.from({ length: 8 }, () => desk().claim(dev, id)));
    expect(answers.map(saidTo).toSorted()).toEqual([
      "ACTIVE",
      ...Array.from({ length: 7 }, () => "already_claimed"),
    ]);
  });

  test("the same ask twice at once is one request", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => office().ask("dev")));
    expect(answers.map(saidTo).toSorted()).toEqual([
      "PENDING",
      ...Array.from({ length: 5 }, () => "duplicate_request"),
    ]);
  });

  test("maxUsage is exact under concurrency", async () => {
    await office().configure([
      autoPolicy("auto", {
        maxUsage: 5,
        conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }],
      }),
    ]);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => office().ask("dev", { scopes: [`read:dev:${n}`] })),
    );
    const said = answers.map(saidTo);
    expect(said.filter((one) => one === "ACTIVE")).toHaveLength(5);
    expect(said.filter((one) => one === "limit_reached")).toHaveLength(7);
  });

  test("a spent auto policy gives way to the next approval policy", async () => {
    await office().configure([
      autoPolicy("auto", { maxUsage: 1, priority: 5 }),
      approvalPolicy("people", { stages: [stageBy("group:dba")] }),
    ]);
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:1"] }))).toBe("ACTIVE");
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:2"] }))).toBe("PENDING");
  });

  test("a usage period frees uses as they age", async () => {
    await office().configure([autoPolicy("auto", { maxUsage: 1, usagePeriodMs: hourMs })]);
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:1"] }))).toBe("ACTIVE");
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:2"] }))).toBe("limit_reached");
    office().clock.pass(hourMs);
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:2"] }))).toBe("ACTIVE");
  });
});

describe("duplicates and limits", () => {
  test("the same set of scopes in any order is a duplicate while open, and not afterwards", async () => {
    const first = granted(await office().ask("dev", { scopes: ["read:a:1", "read:a:2"] }));
    const again = await office().ask("dev", {
      scopes: ["read:a:2", "read:a:1"],
      reason: "other",
      duration: "1h",
    });
    expect(again).toMatchObject({ refused: "duplicate_request", existing: first.request.id });
    granted(await desk().cancel(await office().caller("dev"), first.request.id));
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:2", "read:a:1"] }))).toBe("PENDING");
  });

  test("what the clock has ended is neither a duplicate nor counted, though no sweep has run", async () => {
    await office().configure([approvalPolicy("dba", { windowMs: hourMs, stages: [stageBy("group:dba")] })], {
      limits: { pendingPerIdentity: 1, activePerIdentity: 1 },
    });
    granted(await office().ask("dev"));
    expect(saidTo(await office().ask("dev", { scopes: ["read:other:db"] }))).toBe("limit_reached");
    office().clock.pass(hourMs);
    expect(saidTo(await office().ask("dev"))).toBe("PENDING");
  });

  test("active grants are limited at the claim, and for auto-approval at the ask", async () => {
    await office().configure([autoPolicy("auto")], {
      limits: { pendingPerIdentity: 9, activePerIdentity: 1 },
    });
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:1"] }))).toBe("ACTIVE");
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:2"] }))).toBe("limit_reached");
    office().clock.pass(4 * hourMs);
    expect(saidTo(await office().ask("dev", { scopes: ["read:a:2"] }))).toBe("ACTIVE");
  });

  test("what the clock has ended takes no room at the claim, though no sweep has run", async () => {
    await office().configure([approvalPolicy("dba", { stages: [stageBy("group:dba")] })], {
      limits: { pendingPerIdentity: 9, activePerIdentity: 1 },
    });
    granted(await desk().claim(await office().caller("dev"), await approved({ scopes: ["read:a:1"] })));
    const next = await approved({ scopes: ["read:a:2"] });
    expect(saidTo(await desk().claim(await office().caller("dev"), next))).toBe("limit_reached");
    office().clock.pass(4 * hourMs);
    expect(saidTo(await desk().claim(await office().caller("dev"), next))).toBe("ACTIVE");
  });
});
