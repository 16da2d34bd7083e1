import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stateTag } from "../../../src/service/requests/request-queries.ts";
import type { RequestView } from "../../../src/service/views/request-view.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { granted, openServiceHarness, type ServiceHarness } from "../support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
  await harness.configure([approvalPolicy("p", { windowMs: 60_000, stages: [stageBy("group:dba")] })]);
});
afterEach(async () => {
  await harness.close();
});

const waitFor = (ms: number, more = {}) => ({
  ms,
  signal: new AbortController().signal,
  callerNow: () => harness.caller("dev"),
  ...more,
});
const read = async (id: string, wait: ReturnType<typeof waitFor>) =>
  harness.services.requestQueries.read(await harness.caller("dev"), id, wait);

test("a waiting reader hears of a change when it happens", async () => {
  const { request } = granted(await harness.ask("dev"));
  // Longer than the test may take: only the change can answer it.
  const waiting = read(request.id, waitFor(60_000));
  await pause(30);
  granted(await harness.services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
  expect(await waiting).toMatchObject({ status: "APPROVED" });
});

test("without a change the answer comes when patience ends", async () => {
  const { request } = granted(await harness.ask("dev"));
  expect(await read(request.id, waitFor(40))).toMatchObject({ status: "PENDING" });
});

test("what has changed since the reader last looked is answered at once", async () => {
  const { request } = granted(await harness.ask("dev"));
  granted(await harness.services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
  expect(
    await read(
      request.id,
      waitFor(10_000, { isKnown: (view: RequestView) => stateTag(view) === stateTag(request) }),
    ),
  ).toMatchObject({
    status: "APPROVED",
  });
});

test("what is over is answered at once", async () => {
  const { request } = granted(await harness.ask("dev"));
  granted(await harness.services.requestCommands.cancel(await harness.caller("dev"), request.id));
  expect(await read(request.id, waitFor(10_000))).toMatchObject({ status: "CANCELLED" });
});

test("the clock is a change too", async () => {
  const { request } = granted(await harness.ask("dev"));
  harness.clock.pass(59_950);
  // Longer than the test may take: only the change can answer it.
  const waiting = read(request.id, waitFor(60_000));
  await pause(10);
  harness.clock.pass(50);
  expect(await waiting).toMatchObject({ status: "TIMED_OUT" });
});

test("a reader who has gone is not waited for", async () => {
  const { request } = granted(await harness.ask("dev"));
  const gone = new AbortController();
  const waiting = read(request.id, waitFor(60_000, { signal: gone.signal }));
  gone.abort();
  expect(await waiting).toMatchObject({ status: "PENDING" });
});
