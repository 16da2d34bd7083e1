import { expect, test } from "vitest";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { ids, policyFixture, writeStep } from "../../support/fixtures.ts";
import type { OpenEmptyStore } from "./store-contract.ts";
import { committed } from "../../support/committed.ts";

export function rulebookContract(open: OpenEmptyStore): void {
  test("a new store has the rules of an empty file, at version 1", async () => {
    const store = await open();
    expect(await store.rulebook()).toEqual({ version: 1, policies: [], rules: emptyRules, lockdown: false });
    expect(await store.rulebookVersion()).toBe(1);
    expect(await store.rulesSource()).toBeUndefined();
  });

  test("one step that changes policies, rules and lockdown raises the version by one", async () => {
    const store = await open();
    const rules = { ...emptyRules, trustSlackUserGroups: true };
    await committed(
      store,
      writeStep([
        { kind: "policy", value: policyFixture("a") },
        { kind: "policy", value: policyFixture("b") },
        { kind: "rules", value: rules, source: "file" },
        { kind: "lockdown", on: true },
      ]),
    );
    const policies = [policyFixture("a"), policyFixture("b")];
    expect(await store.rulebook()).toEqual({ version: 2, policies, rules, lockdown: true });
    expect(await store.rulebookVersion()).toBe(2);
    expect(await store.rulesSource()).toBe("file");
  });

  test("a policy is replaced in place and deleted for good", async () => {
    const store = await open();
    const changed = policyFixture("a", { version: 2, priority: 5 });
    await committed(
      store,
      writeStep([
        { kind: "policy", value: policyFixture("a") },
        { kind: "policy", value: policyFixture("b") },
      ]),
      writeStep([{ kind: "policy", value: changed }], { rulebook: 2 }),
    );
    expect((await store.rulebook()).policies).toEqual([changed, policyFixture("b")]);
    await committed(store, writeStep([{ kind: "policyDeleted", id: ids.policy("a") }], { rulebook: 3 }));
    expect((await store.rulebook()).policies).toEqual([policyFixture("b")]);
  });

  test("a change decided from older rules is refused", async () => {
    const store = await open();
    await committed(store, writeStep([{ kind: "lockdown", on: true }]));
    const late = writeStep([{ kind: "lockdown", on: false }]);
    expect(await store.commit(late)).toEqual({ conflict: "version", what: "rulebook:rulebook" });
    expect((await store.rulebook()).lockdown).toBe(true);
  });
}
