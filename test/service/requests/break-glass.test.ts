import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { dayMs, hourMs, minuteMs, secondMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, scopeOf, stageBy } from "../../core/support/policies.ts";
import {
  unwrap,
  openServiceHarness,
  refusalOrStatus,
  type ServiceHarness,
} from "../support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
  const breakGlass = {
    ...emptyRules.breakGlass,
    allowed: [{ kind: "group", group: "oncall" } as const],
    review: { ...emptyRules.breakGlass.review, by: [{ kind: "group", group: "security" } as const] },
    notify: ["email:security@company.com"],
  };
  await harness.configure([approvalPolicy("dba", { stages: [stageBy("group:dba")] })], { breakGlass });
});
afterEach(async () => {
  await harness.close();
});

const scope = scopeOf("read:prod:orders-db");
const take = () => harness.ask("dev", { breakGlass: true, duration: "1h" });

describe("break-glass", () => {
  test("is active at once, announced in the same commit, and never a duplicate", async () => {
    const first = unwrap(await take());
    expect(first.request).toMatchObject({ status: "ACTIVE", breakGlass: true });
    expect(first.credential?.token).toMatch(/^kd_jit_/);
    const effects = await harness.store.dueEffects(harness.clock.now(), 10);
    expect(effects.map((one) => one.effect)).toContainEqual(
      expect.objectContaining({ kind: "announce", notices: [{ notice: "break_glass_used", people: [] }] }),
    );
    expect(refusalOrStatus(await take())).toBe("ACTIVE");
  });

  test("is limited per period, even under concurrency", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, take));
    expect(answers.map(refusalOrStatus).toSorted()).toEqual([
      "ACTIVE",
      "ACTIVE",
      "break_glass_limit",
      "break_glass_limit",
      "break_glass_limit",
    ]);
  });

  test("the dry run reports the result and stores nothing", async () => {
    const tried = async (name: string, more: object = {}) => {
      const { store, services } = harness;
      const before = await store.auditHead();
      const input = { reason: "r", scopes: [scope], duration: "1h", breakGlass: true, ...more };
      const said = await services.evaluation.evaluate(await harness.caller("cto", "auditor"), {
        ...input,
        identityId: `id_${name}`,
      });
      expect(await store.auditHead()).toEqual(before);
      const { outcome, refusal, stages, approvalWindow } = unwrap(said);
      expect({ stages, approvalWindow }).toEqual({ stages: [], approvalWindow: null });
      return refusal?.refused ?? outcome;
    };
    expect(await tried("dev")).toBe("BREAK_GLASS");
    expect(await tried("ann")).toBe("break_glass_not_allowed");
    expect(await tried("dev", { duration: "30d" })).toBe("duration_exceeds_policy");
    unwrap(await take());
    expect(await tried("dev")).toBe("BREAK_GLASS");
    unwrap(await take());
    expect(await tried("dev")).toBe("break_glass_limit");
    expect(await tried("dev", { duration: "30d" })).toBe("duration_exceeds_policy");
    harness.clock.pass(dayMs);
    expect(await tried("dev")).toBe("break_glass_review_due");
  });

  test("requires a review: an overdue one blocks the next emergency until it is reviewed", async () => {
    const { request } = unwrap(await take());
    harness.clock.pass(dayMs);
    expect(refusalOrStatus(await take())).toBe("break_glass_review_due");
    const sec = await harness.caller("sec");
    unwrap(
      await harness.services.requestCommands.review(sec, request.id, {
        outcome: "justified",
        comment: "seen",
      }),
    );
    expect(refusalOrStatus(await take())).toBe("ACTIVE");
  });

  test("reviewed as unjustified while active, it ends immediately", async () => {
    const { request, credential } = unwrap(await take());
    const said = await harness.services.requestCommands.review(await harness.caller("sec"), request.id, {
      outcome: "unjustified",
      comment: "no incident",
    });
    expect(refusalOrStatus(said)).toBe("REVOKED");
    expect(await harness.services.tokenChecks.introspect(credential?.token ?? "")).toEqual({ active: false });
    expect(refusalOrStatus(await take())).toBe("break_glass_review_due");
  });

  test("a review with an API key names who created the key", async () => {
    const { request } = unwrap(await take());
    const sec = await harness.caller("sec");
    const cto = (await harness.caller("cto")).identity.id;
    const withKey = { ...sec, key: { id: makeId("key", "k1"), mintedBy: cto } };
    const said = await harness.services.requestCommands.review(withKey, request.id, {
      outcome: "justified",
      comment: "seen",
    });
    expect(unwrap(said).request.review?.reviews).toMatchObject([{ by: "id_sec", keyMintedBy: "id_cto" }]);
  });

  test("counts as previous access only when reviewed as justified", async () => {
    const { request } = unwrap(await take());
    const { identity } = await harness.caller("dev");
    const starts = async (): Promise<number> => {
      harness.clock.pass(minuteMs);
      return (await harness.store.history(identity.id, [scope], harness.clock.now())).startedAt(scope).length;
    };
    expect(await starts()).toBe(0);
    const judgement = { outcome: "justified", comment: "ok" } as const;
    unwrap(await harness.services.requestCommands.review(await harness.caller("sec"), request.id, judgement));
    expect(await starts()).toBe(1);
  });

  test("checks are recorded singly up to sixty a minute, then counted once a second", async () => {
    const { credential } = unwrap(await take());
    const token = credential?.token ?? "";
    for (let use = 0; use < 100; use++)
      await harness.services.tokenChecks.check(token, ["read:prod:orders-db"]);
    harness.clock.pass(secondMs);
    await harness.services.tokenChecks.check(token, ["read:prod:orders-db"]);
    const uses = (await harness.audit()).filter((one) => one.action === "credential.used");
    expect(uses).toHaveLength(61);
    expect(uses.at(-1)?.data).toMatchObject({ count: 41 });
  });

  test("of other credentials only the first use is recorded", async () => {
    const { request } = unwrap(await harness.ask("dev", { scopes: ["read:other:db"] }));
    unwrap(await harness.services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
    const { credential } = unwrap(
      await harness.services.requestCommands.claim(await harness.caller("dev"), request.id),
    );
    await Promise.all(
      Array.from({ length: 9 }, () =>
        harness.services.tokenChecks.check(credential?.token ?? "", ["read:other:db"]),
      ),
    );
    harness.clock.pass(hourMs);
    await harness.services.tokenChecks.introspect(credential?.token ?? "");
    expect((await harness.audit()).filter((one) => one.action === "credential.used")).toHaveLength(1);
  });
});
