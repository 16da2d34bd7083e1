import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { autoPolicy } from "../../core/support/policies.ts";
import type { FakeTargetOptions } from "../../fakes/fake-target.ts";
import type { RequestInput } from "../../../src/service/ports/request-input.ts";
import { loadClaim } from "../../../src/service/credentials/claim/claim-decisions.ts";
import { issueToken } from "../../../src/service/credentials/claim/issue-credential.ts";
import { createIssueAtTargets } from "../../../src/service/credentials/claim/issue-target-secrets.ts";
import { unwrap } from "../support/service-harness.ts";
import { openTargetHarness, view, type TargetHarness } from "../support/target-harness.ts";

let harness: TargetHarness;
beforeEach(async () => {
  harness = await openTargetHarness();
  harness.connectors.clear();
  harness.add({ name: "orders-db", actions: ["read", "write"] });
});
afterEach(() => harness.close());

/** As a reload does: the same target with other actions, or none of it any more. */
const configured = (options: Omit<FakeTargetOptions, "file"> | undefined): void => {
  harness.connectors.clear();
  if (options !== undefined) harness.add({ name: "orders-db", ...options });
};
const recordsOf = async (action: string) =>
  (await harness.audit()).filter((one) => one.action === action).map((one) => one.data);
const isNothingThere = () => expect(harness.target.state().objects).toEqual({});

describe("a scope whose resource a connector serves, but not with this action", () => {
  const typo = { scopes: ["read:prod:orders-db", "raed:prod:orders-db"] };
  const refusal = {
    refused: "invalid_scope",
    detail: "prod:orders-db has no action raed; there are read, write. Ask for an action that exists.",
    errors: [{ path: "scopes.1", message: "has no action raed; there are read, write" }],
  };

  test("is refused when requested, even by break-glass or with auto-approval", async () => {
    expect(await harness.ask("dev", typo)).toEqual(refusal);
    expect(await harness.ask("dev", { ...typo, breakGlass: true })).toEqual(refusal);
    await harness.configure([autoPolicy("auto", { priority: 1 })]);
    expect(await harness.ask("dev", typo)).toEqual(refusal);
    expect(await recordsOf("grant.started")).toEqual([]);
    isNothingThere();
  });

  test("is refused in a dry run", async () => {
    const input: RequestInput = { identityId: "id_dev", reason: "look", duration: "1h", ...typo };
    const caller = await harness.caller("dev");
    expect(await harness.services.evaluation.evaluate(caller, input)).toEqual(refusal);
    expect(await harness.services.evaluation.evaluate(caller, { ...input, breakGlass: true })).toEqual(
      refusal,
    );
  });

  test("is refused in an extension", async () => {
    const { id } = await harness.holding();
    configured({ actions: ["write"] });
    const more = { duration: "1h", reason: "more" };
    expect(
      await harness.services.requestCommands.extend(await harness.caller("dev"), id, more),
    ).toMatchObject({
      refused: "invalid_scope",
      detail: expect.stringContaining("has no action read; the only one is write"),
    });
  });

  test("lists the actions of every connector that serves the resource", async () => {
    harness.add({ name: "orders-replica", actions: ["analyse"] });
    expect(await harness.ask("dev", { scopes: ["raed:prod:orders-db"] })).toMatchObject({
      detail: expect.stringContaining("there are analyse, read, write."),
    });
  });

  test("is allowed where no connector serves the resource: the token alone grants it", async () => {
    const { request } = unwrap(await harness.ask("dev", { scopes: ["raed:elsewhere"] }));
    expect(request.status).toBe("PENDING");
  });
});

describe("an approved request whose connector or action was removed from the configuration", () => {
  const ways: readonly (readonly [string, Parameters<typeof configured>[0], string])[] = [
    ["the action", { actions: ["write"] }, "prod:orders-db has no action read; the only one is write"],
    [
      "the resource",
      { resources: "other:", actions: ["read"] },
      "no connector serves read:prod:orders-db any more",
    ],
    ["the connector", undefined, "no connector serves read:prod:orders-db any more"],
  ];

  test.each(ways)("fails at the claim and is never granted by the token alone: %s", async (_, left, why) => {
    const id = await harness.approved();
    configured(left);
    expect(await harness.claim(id)).toMatchObject({
      refused: "not_claimable",
      detail: expect.stringContaining(why),
    });
    const shown = await view(harness, id);
    expect(shown).toMatchObject({ status: "FAILED", endReason: expect.stringContaining(why) });
    expect(shown.grant?.startedAt ?? null).toBeNull();
    expect(await recordsOf("grant.failed")).toMatchObject([{ reason: expect.stringContaining(why) }]);
    expect(await recordsOf("credential.issued")).toEqual([]);
    // Final: what comes back later does not revive it.
    configured({ actions: ["read"] });
    expect(await harness.claim(id)).toMatchObject({ refused: "not_claimable" });
  });

  test.each(ways)("also fails when it is removed before the approval: %s", async (_, left) => {
    const { request } = unwrap(await harness.ask("dev"));
    configured(left);
    unwrap(await harness.services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
    expect(await harness.claim(request.id)).toMatchObject({ refused: "not_claimable" });
    expect((await view(harness, request.id)).status).toBe("FAILED");
  });

  test("fails while its targets are being prepared, and what exists is taken back", async () => {
    const id = await harness.approved();
    harness.add({ name: "orders-db", actions: ["read"] }).trouble.isDown = true;
    expect(unwrap(await harness.claim(id)).isPreparing).toBe(true);
    configured({ actions: ["write"] });
    expect(await harness.claim(id)).toMatchObject({ refused: "not_claimable" });
    expect((await view(harness, id)).status).toBe("FAILED");
    await harness.tick();
    isNothingThere();
  });

  test("only a caller who may claim it makes it fail", async () => {
    const id = await harness.approved();
    configured(undefined);
    expect(await harness.services.requestCommands.claim(await harness.caller("ann"), id)).toMatchObject({
      refused: "not_requester",
    });
    expect((await view(harness, id)).status).toBe("APPROVED");
  });

  test("a reload between the preparation and the commit of a claim grants no token alone either", async () => {
    const id = await harness.approved();
    const caller = await harness.caller("dev");
    const { context } = harness;
    const targetService = harness.services.targets;
    const atTargets = createIssueAtTargets(context, targetService, (fault) => {
      throw fault;
    });
    for (const change of [() => {}, () => configured({ actions: ["write"] }), () => configured(undefined)]) {
      change();
      const loaded = unwrap(await loadClaim(context, caller, id));
      const issued = await issueToken({ context, targetService, atTargets }, caller, loaded, {});
      expect(issued).toMatchObject({ refused: "not_claimable" });
    }
    expect((await view(harness, id)).status).toBe("APPROVED");
    expect(await recordsOf("credential.issued")).toEqual([]);
  });

  test("a connector added between request and claim is used: no token alone", async () => {
    configured(undefined);
    const id = await harness.approved();
    configured({ actions: ["read"] });
    expect(unwrap(await harness.claim(id)).credential?.targets).toHaveLength(1);
  });
});
