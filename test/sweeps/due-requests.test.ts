import { afterEach, beforeEach, expect, test } from "vitest";
import { hourMs } from "../../src/core/time.ts";
import { createExpirySweep, createRequestSweep, sweepBatchMax } from "../../src/sweeps/due-requests.ts";
import { approvalPolicy, autoPolicy, stageBy } from "../core/support/policies.ts";
import { granted, openOffice, type Office } from "../service/support/office.ts";

let office: Office;
beforeEach(async () => {
  office = await openOffice();
});
afterEach(async () => {
  await office.close();
});
const never = new AbortController().signal;

test("everything that is due is written, batch after batch, and nothing that is not", async () => {
  await office.configure([autoPolicy("auto")], {
    limits: { pendingPerIdentity: 500, activePerIdentity: 500 },
  });
  const count = sweepBatchMax + 20;
  await Promise.all(
    Array.from({ length: count }, (_, n) => office.ask("dev", { scopes: [`read:a:${n}`], duration: "1h" })),
  );
  granted(await office.ask("dev", { scopes: ["read:longer:1"], duration: "3h" }));
  office.clock.pass(hourMs);
  await createExpirySweep(office.store, office.services.grants, office.clock).run(never);
  expect((await office.audit()).filter((one) => one.action === "grant.expired")).toHaveLength(count);
  expect(await office.store.dueGrants(office.clock.now(), 10)).toEqual([]);
});

test("two sweeps at once write each thing once", async () => {
  await office.configure([approvalPolicy("p", { windowMs: hourMs, stages: [stageBy("group:dba")] })]);
  granted(await office.ask("dev"));
  office.clock.pass(hourMs);
  const sweep = createRequestSweep(office.store, office.services.grants, office.clock);
  await Promise.all([sweep.run(never), sweep.run(never)]);
  expect((await office.audit()).filter((one) => one.action === "request.timed_out")).toHaveLength(1);
});
