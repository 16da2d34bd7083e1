import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { refuse } from "../../../src/core/values/refusals.ts";
import type { Connector } from "../../../src/service/ports/connector.ts";
import { createConnectorSet } from "../../../src/service/ports/connector-registry.ts";
import { createFakeTarget } from "../../fakes/fake-target.ts";
import { leavesNothingBehind, temporaryFolder } from "../../support/leftover-processes.ts";

leavesNothingBehind();

const closed: string[] = [];
const connector = (name: string): Connector => ({
  ...createFakeTarget({ file: join(temporaryFolder(), name), name }),
  close: async () => void closed.push(name),
});
const mapOf = (...all: readonly Connector[]) => new Map(all.map((one) => [one.name, one]));

test("new connectors are in force before the load, and unused ones are closed after it", async () => {
  const set = createConnectorSet();
  const [one, two, three] = [connector("one"), connector("two"), connector("three")];
  await set.replace(mapOf(one, two), async () => "loaded");
  const seen = await set.replace(mapOf(two, three), async () => [...set.current().keys()]);
  expect(seen).toEqual(["two", "three"]);
  expect(closed).toEqual(["one"]);
  await set.close();
  expect(closed).toEqual(["one", "two", "three"]);
});

test("a refused or failed load changes nothing, and closes its new connectors", async () => {
  closed.length = 0;
  const set = createConnectorSet();
  const kept = connector("kept");
  await set.replace(mapOf(kept), async () => "loaded");
  const refusal = refuse("invalid_body", "no");
  expect(await set.replace(mapOf(connector("new")), async () => refusal)).toBe(refusal);
  await expect(
    set.replace(mapOf(kept, connector("other")), () => Promise.reject(new Error("bad"))),
  ).rejects.toThrow("bad");
  expect([...set.current().values()]).toEqual([kept]);
  expect(closed).toEqual(["new", "other"]);
});

test("a connector that does not close delays a reload or a stop by two seconds at most", async () => {
  const set = createConnectorSet();
  const stuck = (name: string): Connector => ({ ...connector(name), close: () => new Promise(() => {}) });
  await set.replace(mapOf(stuck("one")), async () => "loaded");
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  for (const held of [() => set.replace(mapOf(stuck("two")), async () => "loaded"), () => set.close()]) {
    const settled = vi.fn<() => void>();
    void held().then(settled);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(settled).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(settled).toHaveBeenCalledOnce();
  }
});
