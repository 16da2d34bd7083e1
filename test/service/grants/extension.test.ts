import { describe, expect, test } from "vitest";
import { hourMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, serviceHarnessForEach, refusalOrStatus } from "../support/service-harness.ts";

const { harness, requestCommands, claimed } = serviceHarnessForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

const extend = async (id: string, duration = "1h") =>
  requestCommands().extend(await harness().caller("dev"), id, { duration, reason: "more" });
const read = async (id: string) => harness().services.requestQueries.read(await harness().caller("dev"), id);

describe("extension", () => {
  test("approved by people: the parent's end moves, the token stays, the child completes", async () => {
    const { request, token } = await claimed();
    const child = unwrap(await extend(request.id));
    expect(child.request).toMatchObject({ status: "PENDING", extends: request.id, duration: "1h" });
    expect(child.credential).toBeUndefined();
    const done = unwrap(await requestCommands().approve(await harness().caller("bob"), child.request.id, {}));
    expect(done.request.status).toBe("COMPLETED");
    const parent = await read(request.id);
    const expiresAt = "expiresAt" in parent ? String(parent.expiresAt) : "";
    expect(Date.parse(expiresAt) - Date.parse(String(request.expiresAt))).toBe(hourMs);
    harness().clock.pass(4 * hourMs + 1);
    expect(await harness().services.tokenChecks.introspect(token)).toMatchObject({
      active: true,
    });
  });

  test("a grant has one open extension at a time", async () => {
    const { request } = await claimed();
    const first = unwrap(await extend(request.id));
    const answers = await Promise.all([extend(request.id), extend(request.id, "2h")]);
    for (const answer of answers)
      expect(answer).toMatchObject({ refused: "duplicate_request", existing: first.request.id });
  });

  test("a grant has one open extension, even when the next would be auto-approved", async () => {
    const { request } = await claimed();
    const first = unwrap(await extend(request.id, "3h"));
    const short = { type: "DURATION", operator: "LESS_THAN", valueMs: 6 * hourMs } as const;
    await harness().configure([
      autoPolicy("auto", { priority: 1, conditions: [short] }),
      approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
    ]);
    expect(await extend(request.id)).toMatchObject({
      refused: "duplicate_request",
      existing: first.request.id,
    });
    expect(await read(request.id)).toMatchObject({ expiresAt: request.expiresAt });
  });

  test("an extension that timed out stays so when its parent ends", async () => {
    await harness().configure([approvalPolicy("dba", { windowMs: hourMs, stages: [stageBy("group:dba")] })]);
    const { request } = await claimed();
    const child = unwrap(await extend(request.id));
    harness().clock.pass(hourMs);
    const before = await read(child.request.id);
    expect(before).toMatchObject({ status: "TIMED_OUT" });
    unwrap(await requestCommands().complete(await harness().caller("dev"), request.id));
    expect(await read(child.request.id)).toEqual(before);
  });

  test("a late approver is told who approved it, and what to revoke", async () => {
    const { request } = await claimed();
    const child = unwrap(await extend(request.id));
    unwrap(await requestCommands().approve(await harness().caller("bob"), child.request.id, {}));
    const late = await requestCommands().deny(await harness().caller("cid"), child.request.id, "no");
    expect(late).toMatchObject({
      refused: "already_decided",
      detail: expect.stringMatching(new RegExp(`approved by bob.*revoke ${request.id}`)),
    });
  });

  test("a parent that ends early ends its open extension, even when both happen at once", async () => {
    for (let round = 0; round < 5; round++) {
      const { request } = await claimed();
      const [child] = await Promise.all([
        extend(request.id),
        requestCommands().complete(await harness().caller("dev"), request.id),
      ]);
      expect(await read(request.id)).toMatchObject({ status: "COMPLETED" });
      const left = "refused" in child ? child.refused : await read(child.request.id);
      expect([{ status: "CANCELLED" }, "not_active"]).toContainEqual(
        typeof left === "string" ? left : { status: "status" in left ? left.status : "" },
      );
    }
  });

  test("approved and ended at once, the grant is over and stays so", async () => {
    const { request, token } = await claimed();
    const child = unwrap(await extend(request.id));
    const [approval, revocation] = await Promise.all([
      requestCommands().approve(await harness().caller("bob"), child.request.id, {}),
      requestCommands().revoke(await harness().caller("ann"), request.id, "enough"),
    ]);
    expect(refusalOrStatus(revocation)).toBe("REVOKED");
    expect(["COMPLETED", "already_decided"]).toContain(refusalOrStatus(approval));
    expect(await harness().services.tokenChecks.introspect(token)).toEqual({ active: false });
  });

  test("an auto-approved extension counts one more use", async () => {
    await harness().configure([autoPolicy("auto", { maxUsage: 2 })]);
    const { request } = unwrap(await harness().ask("dev"));
    expect(refusalOrStatus(await extend(request.id))).toBe("COMPLETED");
    expect(refusalOrStatus(await extend(request.id))).toBe("limit_reached");
  });

  test("only the requester may extend, and only live access", async () => {
    const { request } = await claimed();
    expect(
      refusalOrStatus(
        await requestCommands().extend(await harness().caller("ann"), request.id, {
          duration: "1h",
          reason: "r",
        }),
      ),
    ).toBe("not_requester");
    expect(refusalOrStatus(await extend(request.id, "99d"))).toBe("invalid_duration");
    harness().clock.pass(4 * hourMs);
    expect(refusalOrStatus(await extend(request.id))).toBe("not_active");
  });
});
