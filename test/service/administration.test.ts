import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { formatToken } from "../../src/core/values/token-format.ts";
import { makeId } from "../../src/core/values/ids.ts";
import { emptyRules, type Policy } from "../../src/core/policy/policy.ts";
import { dayMs, plus } from "../../src/core/values/time.ts";
import { createConfigurationService } from "../../src/service/policies/configuration-service.ts";
import { recordOnly } from "../../src/service/decisions/decide-and-commit.ts";
import { createBootstrapService } from "../../src/service/people/bootstrap-service.ts";
import type { PolicyDraft } from "../../src/service/policies/policy-service.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../core/support/policies.ts";
import {
  unwrap,
  openServiceHarness,
  refusalOrStatus,
  type ServiceHarness,
} from "./support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
  await harness.configure([approvalPolicy("dba", { stages: [stageBy("group:dba")] })]);
});
afterEach(async () => {
  await harness.close();
});

const admin = () => harness.caller("cto", "admin");
const draft = (name: string): PolicyDraft => {
  const { id: _, version: __, managedBy: ___, ...content } = autoPolicy(name, { priority: 9 });
  return content;
};

describe("policies", () => {
  test("a change makes a new version and applies to the next request", async () => {
    expect(refusalOrStatus(await harness.ask("dev"))).toBe("PENDING");
    const made = await harness.services.policies.create(await admin(), draft("auto"));
    if ("refused" in made) throw new Error(made.detail);
    expect(made).toMatchObject({ version: 1, managedBy: "api" });
    expect(refusalOrStatus(await harness.ask("dev", { scopes: ["read:a:1"] }))).toBe("ACTIVE");
    const changed = await harness.services.policies.replace(await admin(), made.id, {
      ...draft("auto"),
      enabled: false,
    });
    expect(changed).toMatchObject({ id: made.id, version: 2 });
    expect(refusalOrStatus(await harness.ask("dev", { scopes: ["read:a:2"] }))).toBe("PENDING");
    await harness.services.policies.remove(await admin(), made.id);
    expect(await harness.services.policies.read(await admin(), made.id)).toMatchObject({
      refused: "not_found",
    });
  });

  test("names are unique across file and API, even when created at once, and free after deletion", async () => {
    expect(await harness.services.policies.create(await admin(), draft("dba"))).toMatchObject({
      refused: "name_taken",
    });
    const both = await Promise.all(
      [1, 2].map(async () => harness.services.policies.create(await admin(), draft("auto"))),
    );
    expect(both.filter((one) => "refused" in one && one.refused === "name_taken")).toHaveLength(1);
    for (const one of both)
      if (!("refused" in one)) await harness.services.policies.remove(await admin(), one.id);
    expect(await harness.services.policies.create(await admin(), draft("auto"))).toMatchObject({
      name: "auto",
    });
  });

  test("the file's default policy owns its name, and releases it when the file drops it", async () => {
    const { policies } = harness.services;
    const defaultPolicy: Policy = {
      ...approvalPolicy("fallback", { stages: [stageBy("group:dba")] }),
      id: makeId("policy", "default"),
      managedBy: "file",
    };
    await harness.configure([], { defaultPolicy });
    const taken = { refused: "name_taken", detail: `"fallback" is already in use by pol_default.` };
    expect(await policies.create(await admin(), draft("fallback"))).toMatchObject(taken);
    const auto = unwrap(await policies.create(await admin(), draft("auto")));
    expect(await policies.replace(await admin(), auto.id, draft("fallback"))).toMatchObject(taken);
    await expect(
      harness.configure([], { defaultPolicy: { ...defaultPolicy, name: "auto" } }),
    ).rejects.toThrow(`"auto" is already in use by ${auto.id}.`);
    await harness.configure([], { defaultPolicy: { ...defaultPolicy, name: "other" } });
    unwrap(await policies.create(await admin(), draft("fallback")));
    await harness.configure([], {});
    unwrap(await policies.create(await admin(), draft("other")));
  });

  test("a default policy whose name an API policy took earlier is loaded, with a warning", async () => {
    const defaultPolicy: Policy = {
      ...approvalPolicy("fallback", { stages: [stageBy("group:dba")] }),
      id: makeId("policy", "default"),
      managedBy: "file",
    };
    const content = { identities: [], policies: [], rules: { ...emptyRules, defaultPolicy } };
    await harness.configure([], { defaultPolicy });
    // Earlier versions did not take the name.
    await harness.store.commit({
      ...recordOnly([]),
      unique: [{ release: "policy-name:fallback", owner: "pol_default" }],
    });
    const other = unwrap(await harness.services.policies.create(await admin(), draft("fallback")));
    await harness.configure([], { defaultPolicy });
    const { warnings } = createConfigurationService(harness.context);
    expect(await warnings(content)).toMatchObject([{ path: ["default", "name"] }]);
    unwrap(await harness.services.policies.remove(await admin(), other.id));
    await harness.configure([], { defaultPolicy });
    expect(await warnings(content)).toEqual([]);
    expect(await harness.services.policies.create(await admin(), draft("fallback"))).toMatchObject({
      refused: "name_taken",
    });
  });

  test("the file's default policy can be read by id and not changed over the API", async () => {
    const defaultPolicy: Policy = {
      ...approvalPolicy("default", { stages: [stageBy("group:dba")] }),
      id: makeId("policy", "default"),
      managedBy: "file",
    };
    await harness.configure([], { defaultPolicy });
    const { policies } = harness.services;
    expect(await policies.read(await harness.caller("cto", "auditor"), "pol_default")).toMatchObject({
      name: "default",
    });
    const readOnly = { refused: "managed_by_file" };
    expect(await policies.replace(await admin(), "pol_default", draft("x"))).toMatchObject(readOnly);
    expect(await policies.remove(await admin(), "pol_default")).toMatchObject(readOnly);
  });

  test("the file's policies cannot be changed over the API", async () => {
    const all = await harness.services.policies.list(await admin());
    const id = "refused" in all ? "" : (all[0]?.id ?? "");
    expect(await harness.services.policies.replace(await admin(), id, draft("x"))).toMatchObject({
      refused: "managed_by_file",
    });
    expect(await harness.services.policies.remove(await admin(), id)).toMatchObject({
      refused: "managed_by_file",
    });
  });

  test("reloading the same file changes no version; a changed policy increases its own by one", async () => {
    const versions = async () => {
      const all = await harness.services.policies.list(await admin());
      return "refused" in all ? [] : all.map((one) => one.version);
    };
    await harness.configure([approvalPolicy("dba", { stages: [stageBy("group:dba")] })]);
    expect(await versions()).toEqual([1]);
    await harness.configure([approvalPolicy("dba", { stages: [stageBy("group:dba", { required: 2 })] })]);
    expect(await versions()).toEqual([2]);
  });
});

describe("the dry run", () => {
  const input = { identityId: "id_dev", reason: "r", scopes: ["read:prod:orders-db"], duration: "1h" };

  test("reports who would be asked and why, and stores nothing", async () => {
    const before = await harness.store.auditHead();
    const said = await harness.services.evaluation.evaluate(await harness.caller("dev"), input);
    expect(said).toMatchObject({
      outcome: "NEEDS_APPROVAL",
      stages: [
        {
          stage: 1,
          required: 1,
          approvers: [{ identityId: "id_ann" }, { identityId: "id_bob" }, { identityId: "id_cid" }],
        },
      ],
      scopes: [{ reason: "first_in_order", policies: [{ outcome: "governs" }] }],
    });
    expect(await harness.store.auditHead()).toEqual(before);
    expect(refusalOrStatus(await harness.ask("dev"))).toBe("PENDING");
  });

  test("evaluates drafts instead of the policies in force", async () => {
    const { evaluation } = harness.services;
    const said = await evaluation.evaluate(await harness.caller("cto", "auditor"), input, [draft("auto")]);
    expect(said).toMatchObject({ outcome: "AUTO_APPROVED", stages: [] });
    expect(await evaluation.evaluate(await harness.caller("dev"), input, [draft("auto")])).toMatchObject({
      refused: "missing_role",
    });
  });

  test("is for oneself, or for administrators and auditors", async () => {
    expect(await harness.services.evaluation.evaluate(await harness.caller("ann"), input)).toMatchObject({
      refused: "not_self",
    });
    expect(
      await harness.services.evaluation.evaluate(await harness.caller("cto", "auditor"), input),
    ).toMatchObject({ outcome: "NEEDS_APPROVAL" });
  });
});

describe("keys", () => {
  test("work by their roles until they expire, are deleted or reported, or their owner is inactive", async () => {
    const { apiKeys: keys, tokenChecks: checking, directory } = harness.services;
    const make = async () => {
      const made = await keys.create(await admin(), {
        identityId: "id_dev",
        roles: ["requester"],
        name: null,
      });
      if ("refused" in made) throw new Error(made.detail);
      return made;
    };
    const isGood = async (token: string) => !("refused" in (await keys.authenticate(token)));
    const [one, two, three] = [await make(), await make(), await make()];
    expect(await isGood(one.token)).toBe(true);
    await keys.remove(await admin(), one.key.id);
    expect(await isGood(one.token)).toBe(false);
    await checking.report(two.token);
    expect(await isGood(two.token)).toBe(false);
    await directory.change(await admin(), "id_dev", { active: false });
    expect(await keys.authenticate(three.token)).toMatchObject({ refused: "identity_inactive" });
    await directory.change(await admin(), "id_dev", { active: true });
    harness.clock.pass(90 * dayMs);
    expect(await isGood(three.token)).toBe(false);
  });

  test("last a year at most", async () => {
    const expiresAt = plus(harness.clock.now(), 400 * dayMs);
    expect(
      await harness.services.apiKeys.create(await admin(), {
        identityId: "id_dev",
        roles: ["requester"],
        name: null,
        expiresAt,
      }),
    ).toMatchObject({ refused: "invalid_body" });
  });
});

test("a database keeps one name, even when two concurrent calls create it", async () => {
  const name = () => createBootstrapService(harness.context).instanceId();
  const [first, second] = await Promise.all([name(), name()]);
  expect(second).toBe(first);
  expect(await name()).toBe(first);
});

describe("the admin key", () => {
  const ensure = (given?: string, kept?: string) =>
    createBootstrapService(harness.context).ensureAdminKey(given, kept);
  const isGood = async (token: string) =>
    !("refused" in (await harness.services.apiKeys.authenticate(token)));
  const key = (letter: string) => formatToken("live", letter.repeat(30));

  test("is created once and kept across restarts", async () => {
    const made = await ensure();
    const token = "kind" in made && made.kind === "made" ? made.token : "";
    expect(await isGood(token)).toBe(true);
    const records = (await harness.audit()).length;
    expect(await ensure(undefined, token)).toEqual({ kind: "kept" });
    expect(await isGood(token)).toBe(true);
    expect(await harness.audit()).toHaveLength(records);
  });

  test("a given key replaces the former one, and a changed one revokes it", async () => {
    const made = await ensure();
    const token = "kind" in made && made.kind === "made" ? made.token : "";
    expect(await ensure(key("a"), token)).toEqual({ kind: "given" });
    expect([await isGood(token), await isGood(key("a"))]).toEqual([false, true]);
    expect(await ensure(key("a"), token)).toEqual({ kind: "given" });
    expect(await ensure(key("b"))).toEqual({ kind: "given" });
    expect([await isGood(key("a")), await isGood(key("b"))]).toEqual([false, true]);
  });

  test("a leaked key stays revoked although it is still configured, and a new one is created", async () => {
    await ensure(key("a"));
    await harness.services.tokenChecks.report(key("a"));
    const again = await ensure(key("a"));
    expect(again).toMatchObject({ kind: "made" });
    expect(await isGood(key("a"))).toBe(false);
  });
});

describe("identities", () => {
  test("an address belongs to one identity, whatever its case", async () => {
    const create = async (email: string) =>
      harness.services.directory.create(await admin(), {
        kind: "HUMAN",
        name: "New",
        email,
        groups: [],
        links: {},
        active: true,
      });
    expect(await create("dev@company.com")).toMatchObject({ refused: "name_taken" });
    const both = await Promise.all([create("new@company.com"), create("new@company.com")]);
    expect(both.filter((one) => "refused" in one)).toHaveLength(1);
  });

  test("only `active` can be changed on people of the file", async () => {
    const change = async (patch: object) => harness.services.directory.change(await admin(), "id_dev", patch);
    expect(await change({ name: "Other" })).toMatchObject({ refused: "managed_by_file" });
    expect(await change({ active: false })).toMatchObject({ enabled: false });
  });
});
