import { describe, expect, test } from "vitest";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { minuteMs } from "../../../src/core/values/time.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { secretsFound } from "../../support/find-secrets.ts";
import { unwrap, serviceHarnessForEach } from "../support/service-harness.ts";

const { harness, claimed, isActive } = serviceHarnessForEach(() => [
  approvalPolicy("dba", { stages: [stageBy("group:dba")] }),
]);

const records = async (action: string) => (await harness().audit()).filter((one) => one.action === action);

describe("audit records", () => {
  test("contain a changed default policy, like any other", async () => {
    const by = (approvers: string) => approvalPolicy("default", { stages: [stageBy(approvers)] });
    await harness().configure([], { defaultPolicy: by("group:dba") });
    await harness().configure([], { defaultPolicy: by("group:security") });
    await harness().configure([], { defaultPolicy: by("group:security") });
    await harness().configure([]);
    const ofDefault = (await records("policy.changed")).filter((one) => one.data["name"] === "default");
    expect(ofDefault.map((one) => [one.data["change"], one.data["version"]])).toEqual([
      ["created", 1],
      ["changed", 2],
      ["deleted", 2],
    ]);
  });

  test("contain the rules that a reload changes, and no others", async () => {
    const breakGlass = { ...emptyRules.breakGlass, allowed: [{ kind: "group", group: "oncall" } as const] };
    await harness().configure([], { breakGlass });
    await harness().configure([], { breakGlass });
    const loads = await records("config.loaded");
    expect(loads.slice(-2).map((one) => one.data["rules"])).toEqual([{ breakGlass }, {}]);
  });

  test("contain a refused request, with its subject", async () => {
    const input = { identityId: "id_dev", reason: "r", scopes: ["read:a:1"], duration: "1h" };
    await harness().services.requestCommands.ask(await harness().caller("ann"), input);
    const [refused] = await records("request.refused");
    expect(JSON.parse(refused?.body ?? "{}")).toMatchObject({
      actor: { id: "id_ann" },
      identity: "id_dev",
      data: { verb: "ask", code: "not_self" },
    });
  });

  test("count refused reads of the log and refused decisions separately", async () => {
    const { audit, requestCommands, refusals } = harness().services;
    const dev = await harness().caller("dev");
    const id = unwrap(await harness().ask("dev")).request.id;
    for (let turn = 0; turn < 12; turn++) {
      await audit.verify(dev);
      await requestCommands.approve(dev, id, {});
    }
    harness().clock.pass(minuteMs);
    await refusals.flush(harness().clock.now());
    for (const action of ["audit.read_refused", "decision.refused"]) {
      const counts = (await records(action)).map(({ data }) => data["count"]);
      expect([action, counts.length, counts.at(-1)]).toEqual([action, 11, 2]);
    }
  });

  test("contain at most sixty emergency checks a minute, even when many arrive as a minute begins", async () => {
    const breakGlass = { ...emptyRules.breakGlass, allowed: [{ kind: "group", group: "oncall" } as const] };
    await harness().configure([], { breakGlass });
    const { credential } = unwrap(await harness().ask("dev", { breakGlass: true, duration: "1h" }));
    const check = () =>
      harness().services.tokenChecks.check(credential?.token ?? "", ["read:prod:orders-db"]);
    for (let use = 0; use < 70; use++) await check();
    harness().clock.pass(minuteMs);
    await Promise.all(Array.from({ length: 90 }, check));
    await harness().services.credentialUses.flush(harness().clock.now());
    const uses = await records("credential.used");
    const counts = uses.map((one) => Number(one.data["count"]));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(160);
    expect(counts.filter((count) => count === 1)).toHaveLength(120);
  });
});

test("a token is nowhere in the database, whichever field of a request it was pasted into", async () => {
  const take = async (name: string) => (await claimed({ scopes: [`read:secret:${name}`] })).token;
  const [one, two, three] = [await take("1"), await take("2"), await take("3")];
  const asked = unwrap(
    await harness().ask("dev", { reason: `x${one}_y`, ticket: `T-${two}`, metadata: { [three]: three } }),
  );
  unwrap(
    await harness().services.requestCommands.cancel(
      await harness().caller("dev"),
      asked.request.id,
      `my${one}`,
    ),
  );
  expect(secretsFound(harness().folder, new Set([one, two, three]))).toEqual([]);
  for (const token of [one, two, three]) {
    expect(await isActive(token)).toBe(false);
  }
});
