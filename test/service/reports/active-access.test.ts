import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import { formatSelector, parseSelector } from "../../../src/core/values/identity.ts";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { hourMs } from "../../../src/core/values/time.ts";
import type { Store } from "../../../src/service/ports/store.ts";
import { createServices } from "../../../src/service/services.ts";
import { approvalPolicy, autoPolicy, denyPolicy, scopeOf, stageBy } from "../../core/support/policies.ts";
import { unwrap, openServiceHarness, type ServiceHarness } from "../support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
  await harness.configure([autoPolicy("auto")]);
});
afterEach(async () => {
  await harness.close();
});

const admin = () => harness.caller("cto", "admin");
const hold = async (name: string, scope: string) =>
  unwrap(await harness.ask(name, { scopes: [scope] })).request.id;

describe("active access", () => {
  test("people see their own, auditors see all, and nothing that has ended", async () => {
    const mine = await hold("dev", "read:prod:db");
    const hers = await hold("ann", "write:prod:db");
    const over = await hold("ann", "read:x:1");
    unwrap(await harness.services.requestCommands.complete(await harness.caller("ann"), over));
    const ids = async (name: string, ...roles: ("auditor" | "requester")[]) => {
      const held = await harness.services.activeAccess.held(
        await harness.caller(name, ...roles),
        {},
        { limit: 10 },
      );
      return "rows" in held ? held.rows.map((one) => one.request.id) : held;
    };
    expect(await ids("dev", "requester")).toEqual([mine]);
    expect(await ids("cto", "auditor")).toEqual([hers, mine]);
    harness.clock.pass(86_400_000);
    expect(await ids("cto", "auditor")).toEqual([]);
  });
});

describe("the catalog", () => {
  test("offers what no policy refuses, and whether people must approve", async () => {
    await harness.configure(
      [
        denyPolicy("never", { conditions: [{ type: "RESOURCE", operator: "EQUALS", value: "vault" }] }),
        autoPolicy("auto", { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "dev:" }] }),
        approvalPolicy(
          "people",
          { stages: [stageBy("group:dba")] },
          { conditions: [{ type: "RESOURCE", operator: "STARTS_WITH", value: "prod:" }] },
        ),
      ],
      {
        catalog: [
          { name: "Vault", scopes: [scopeOf("read:vault")] },
          { name: "Dev", scopes: [scopeOf("read:dev:db")] },
          { name: "Prod", scopes: [scopeOf("read:prod:db")] },
          { name: "Nobody's", scopes: [scopeOf("read:other")] },
        ],
      },
    );
    const offers = await harness.services.activeAccess.catalog(await harness.caller("dev"), "1h");
    expect(offers).toMatchObject([
      { name: "Dev", outcome: "AUTO_APPROVED" },
      { name: "Prod", outcome: "NEEDS_APPROVAL" },
    ]);
  });
});

test("an ordinary request does not load people whom only break-glass names", async () => {
  const allowed = [assertPresent(parseSelector("group:security"), "selector")];
  await harness.configure([autoPolicy("auto")], { breakGlass: { ...emptyRules.breakGlass, allowed } });
  const looked: string[] = [];
  const store: Store = {
    ...harness.store,
    people: async (query) => {
      looked.push(...query.selectors.map(formatSelector));
      return harness.store.people(query);
    },
  };
  const { evaluation } = createServices(
    { ...harness.context, store },
    async () => {},
    () => {},
  );
  const input = { identityId: "id_dev", reason: "r", scopes: ["read:a:1"], duration: "1h" };
  await evaluation.evaluate(await harness.caller("dev"), input);
  expect(looked).toEqual([]);
  await evaluation.evaluate(await harness.caller("dev"), { ...input, breakGlass: true });
  expect(looked).toEqual(["group:security"]);
});

describe("revoking all", () => {
  const revoke = async (which: Parameters<ServiceHarness["services"]["massRevocation"]["revokeAll"]>[1]) =>
    harness.services.massRevocation.revokeAll(await admin(), which, "incident");

  test("ends everything of one person, approved or active, and nobody else's", async () => {
    const [one, two] = [await hold("dev", "read:a:1"), await hold("dev", "read:a:2")];
    const hers = await hold("ann", "read:a:1");
    const unclaimed = await harness.services.requestCommands.ask(await admin(), {
      identityId: "id_dev",
      reason: "r",
      scopes: ["read:b:1"],
      duration: "1h",
    });
    const ended = await revoke({ identityId: "id_dev" });
    expect(Array.isArray(ended) ? ended.toSorted() : ended).toEqual(
      [one, two, unwrap(unclaimed).request.id].toSorted(),
    );
    expect(await harness.services.requestQueries.read(await harness.caller("ann"), hers)).toMatchObject({
      status: "ACTIVE",
    });
  });

  test("by the start of a scope or of its resource, over many pages", async () => {
    await harness.configure([autoPolicy("auto")], {
      limits: { pendingPerIdentity: 500, activePerIdentity: 500 },
    });
    await Promise.all(Array.from({ length: 230 }, (_, n) => hold("dev", `read:prod:${n}`)));
    const kept = await hold("dev", "read:dev:1");
    expect(await revoke({ scopePrefix: "prod:" })).toHaveLength(230);
    expect(await revoke({ scopePrefix: "read:dev:" })).toEqual([kept]);
    expect(await revoke({ scopePrefix: "" })).toMatchObject({ refused: "invalid_body" });
  });

  test("finds requests that are claimed during the scan", async () => {
    const asked = unwrap(
      await harness.services.requestCommands.ask(await admin(), {
        identityId: "id_dev",
        reason: "r",
        scopes: ["read:b:1"],
        duration: "1h",
      }),
    );
    const dev = await harness.caller("dev");
    const store: Store = {
      ...harness.store,
      requests: async (filter, page) => {
        const found = await harness.store.requests(filter, page);
        await harness.services.requestCommands.claim(dev, asked.request.id);
        return found;
      },
    };
    const { massRevocation } = createServices(
      { ...harness.context, store },
      async () => {},
      () => {},
    );
    expect(await massRevocation.revokeAll(await admin(), { identityId: "id_dev" }, "incident")).toEqual([
      asked.request.id,
    ]);
    expect(await harness.services.requestQueries.read(dev, asked.request.id)).toMatchObject({
      status: "REVOKED",
    });
  });

  test("an unknown id is refused, so that a typo does not look like success", async () => {
    const id = await hold("dev", "read:a:1");
    for (const identityId of ["id_nobody", "dev", "id_"]) {
      expect(await revoke({ identityId })).toMatchObject({ refused: "identity_unknown" });
    }
    for (const policyId of ["pol_nothing", "auto"]) {
      expect(await revoke({ policyId })).toMatchObject({
        refused: "not_found",
      });
    }
    expect(await revoke({ identityId: "id_cto" })).toEqual([]);
    expect(await revoke({ scopePrefix: "nothing:" })).toEqual([]);
    expect(await harness.services.requestQueries.read(await admin(), id)).toMatchObject({ status: "ACTIVE" });
  });

  test("by a deleted policy ends the access that it granted", async () => {
    const id = await hold("dev", "read:a:1");
    const policies = await harness.services.policies.list(await admin());
    const policyId = "refused" in policies ? "" : (policies[0]?.id ?? "");
    await harness.configure([autoPolicy("another")]);
    expect(await revoke({ policyId })).toEqual([id]);
    expect(await revoke({ policyId })).toMatchObject({ refused: "not_found" });
  });

  test("by the policy that extended it, even if another granted it and it was deleted", async () => {
    const when = (operator: "LESS_THAN" | "GREATER_THAN") =>
      ({ conditions: [{ type: "DURATION", operator, valueMs: 2 * hourMs }] }) as const;
    await harness.configure([
      autoPolicy("short", when("LESS_THAN")),
      autoPolicy("long", when("GREATER_THAN")),
    ]);
    const anHour = async (scope: string) =>
      unwrap(await harness.ask("dev", { scopes: [scope], duration: "1h" })).request.id;
    const [prolonged, plain] = [await anHour("read:a:1"), await anHour("read:a:2")];
    const dev = await harness.caller("dev");
    unwrap(await harness.services.requestCommands.extend(dev, prolonged, { duration: "3h", reason: "more" }));
    const policyId = "pol_long";
    await harness.configure([autoPolicy("short", when("LESS_THAN"))]);
    expect(await revoke({ policyId })).toEqual([prolonged]);
    expect(await harness.services.requestQueries.read(dev, plain)).toMatchObject({ status: "ACTIVE" });
    expect(await revoke({ policyId })).toMatchObject({ refused: "not_found" });
  });

  test("by the policy that governed it, and by administrators only", async () => {
    const id = await hold("dev", "read:a:1");
    const policies = await harness.services.policies.list(await admin());
    const policyId = "refused" in policies ? "" : (policies[0]?.id ?? "");
    expect(
      await harness.services.massRevocation.revokeAll(await harness.caller("ann"), { policyId }, "r"),
    ).toMatchObject({ refused: "missing_role" });
    expect(await revoke({ policyId })).toEqual([id]);
  });
});
