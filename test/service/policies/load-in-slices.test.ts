import { afterEach, beforeEach, expect, test } from "vitest";
import { emptyRules } from "../../../src/core/policy/policy.ts";
import { createConfigurationService } from "../../../src/service/policies/configuration-service.ts";
import { openServiceHarness, staff, type ServiceHarness } from "../support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
});
afterEach(async () => harness.close());

const directoryOf = (size: number, name: string) => ({
  identities: Array.from({ length: size }, (_, index) => staff(`p${index}`, { name: `${name} ${index}` })),
  policies: [],
  rules: emptyRules,
});

test("comparing many people pauses between slices, serves other calls meanwhile, and writes one step", async () => {
  const { store } = harness;
  const steps: number[] = [];
  const watched: typeof store = {
    ...store,
    commit: async (step) => {
      steps.push(step.writes.filter(({ kind }) => kind === "identity").length);
      return store.commit(step);
    },
  };
  const seen: unknown[] = [];
  const pause = async (): Promise<void> => {
    seen.push((await store.auditHead()).seq);
    expect(steps).toEqual([]);
  };
  const configuration = createConfigurationService({ ...harness.context, store: watched }, pause);
  const size = 1_000;
  expect(await configuration.load(directoryOf(size, "New"), "file", "jit.yaml")).toMatchObject({
    changed: 1_001,
  });
  expect(seen).toEqual(Array.from({ length: size / 100 }, () => 0));
  expect(steps).toEqual([size]);
});

test("a change between two slices makes the comparison start again, so that it is not overwritten", async () => {
  const plain = createConfigurationService(harness.context);
  await plain.load(directoryOf(300, "Old"), "file", "jit.yaml");
  let pauses = 0;
  const configuration = createConfigurationService(harness.context, async () => {
    if (pauses++ !== 2) return;
    const admin = { ...(await harness.caller("p1")), roles: ["admin"] } as const;
    await harness.services.directory.change(admin, "id_p0", { active: false });
  });
  await configuration.load(directoryOf(300, "New"), "file", "jit.yaml");
  expect(pauses).toBe(6);
  expect((await harness.caller("p0")).identity).toMatchObject({ name: "New 0", enabled: false });
});
