import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { stateTag } from "../../../src/service/requests/request-queries.ts";
import type { RequestView } from "../../../src/service/views/request-view.ts";
import { approvalPolicy, stageBy } from "../../core/support/policies.ts";
import { unwrap, openServiceHarness, type ServiceHarness } from "../support/service-harness.ts";

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

test("a waiting reader is answered when the request changes", async () => {
  const { request } = unwrap(await harness.ask("dev"));
  // Longer than the test may take: only the change can answer it.
  const waiting = read(request.id, waitFor(60_000));
  await pause(30);
  unwrap(await harness.services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
  expect(await waiting).toMatchObject({ status: "APPROVED" });
});

test("without a change the answer comes when the wait ends", async () => {
  const { request } = unwrap(await harness.ask("dev"));
  expect(await read(request.id, waitFor(40))).toMatchObject({ status: "PENDING" });
});

test("a state that the reader has not seen is answered at once", async () => {
  const { request } = unwrap(await harness.ask("dev"));
  unwrap(await harness.services.requestCommands.approve(await harness.caller("ann"), request.id, {}));
  expect(
    await read(
      request.id,
      waitFor(10_000, { isKnown: (view: RequestView) => stateTag(view) === stateTag(request) }),
    ),
  ).toMatchObject({
    status: "APPROVED",
  });
});

test("an ended request is answered at once", async () => {
  const { request } = unwrap(await harness.ask("dev"));
  unwrap(await harness.services.requestCommands.cancel(await harness.caller("dev"), request.id));
  expect(await read(request.id, waitFor(10_000))).toMatchObject({ status: "CANCELLED" });
});

test("a change by the clock is answered as well", async () => {
  const { request } = unwrap(await harness.ask("dev"));
  harness.clock.pass(59_950);
  // Longer than the test may take: only the change can answer it.
  const waiting = read(request.id, waitFor(60_000));
  await pause(10);
  harness.clock.pass(50);
  expect(await waiting).toMatchObject({ status: "TIMED_OUT" });
});

test("the wait of a disconnected reader ends", async () => {
  const { request } = unwrap(await harness.ask("dev"));
  const gone = new AbortController();
  const waiting = read(request.id, waitFor(60_000, { signal: gone.signal }));
  gone.abort();
  expect(await waiting).toMatchObject({ status: "PENDING" });
});
