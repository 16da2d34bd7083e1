import { afterEach, beforeEach, expect, test } from "vitest";
import { makeId } from "../../../src/core/values/ids.ts";
import { isRefusal } from "../../../src/core/values/refusals.ts";
import type { Caller } from "../../../src/service/ports/caller.ts";
import { createAccessService } from "../../../src/service/requests/access-service.ts";
import type { IdempotentCall } from "../../../src/service/ports/idempotent-call.ts";
import { autoPolicy, approvalPolicy, stageBy } from "../../core/support/policies.ts";
import {
  unwrap,
  openServiceHarness,
  refusalOrStatus,
  type ServiceHarness,
} from "../support/service-harness.ts";

let harness: ServiceHarness;
beforeEach(async () => {
  harness = await openServiceHarness();
});
afterEach(async () => {
  await harness.close();
});

const once = (more: Partial<IdempotentCall> = {}): IdempotentCall => ({
  keyId: makeId("key", "mine"),
  call: "POST /api/v1/credentials/jit",
  idempotencyKey: "abc",
  bodyHash: "hash",
  ...more,
});
const withKey = async (name: string, more?: Partial<IdempotentCall>): Promise<Caller> => ({
  ...(await harness.caller(name)),
  idempotentCall: once(more),
});
const input = { identityId: "id_dev", reason: "r", scopes: ["read:a:1"], duration: "1h" };
const keptFor = async () => {
  const kept = await harness.services.idempotency.find(once());
  if (kept === undefined || isRefusal(kept)) return kept;
  return { status: kept.status, body: JSON.parse(kept.body) as Record<string, unknown> };
};

test("an answer is stored in the commit of its effect, and never contains the token", async () => {
  await harness.configure([autoPolicy("auto")]);
  const { request, credential } = unwrap(
    await harness.services.requestCommands.ask(await withKey("dev"), input),
  );
  const kept = await keptFor();
  expect(kept).toMatchObject({
    status: 201,
    body: { id: request.id, status: "ACTIVE", credential: { id: credential?.id, tokenShown: true } },
  });
  expect(JSON.stringify(kept)).not.toContain(credential?.token);
  const { credential: _, ...body } = kept && "body" in kept ? kept.body : {};
  expect(body).toEqual({ ...request });
});

test("the answer of a pending request is stored completely", async () => {
  await harness.configure([approvalPolicy("p", { stages: [stageBy("group:dba")] })]);
  const { request } = unwrap(await harness.services.requestCommands.ask(await withKey("dev"), input));
  expect(await keptFor()).toEqual({ status: 201, body: { ...request } });
});

test("interrupted between request and claim: a retry resumes the same request", async () => {
  await harness.configure([autoPolicy("auto")]);
  const submitted = await createAccessService(harness.context).submit(await withKey("dev"), input);
  if (isRefusal(submitted)) throw new Error(submitted.detail);
  expect(await keptFor()).toMatchObject({ status: 0 });
  const retried = unwrap(await harness.services.requestCommands.ask(await withKey("dev"), input));
  expect(retried.request).toMatchObject({ id: submitted.request.id, status: "ACTIVE" });
  expect(retried.credential?.token).toMatch(/^kd_jit_/);
  expect(await keptFor()).toMatchObject({ status: 201, body: { id: submitted.request.id } });
});

test("another body with the same key is refused", async () => {
  await harness.configure([autoPolicy("auto")]);
  unwrap(await harness.services.requestCommands.ask(await withKey("dev"), input));
  expect(await harness.services.idempotency.find(once({ bodyHash: "other" }))).toMatchObject({
    refused: "idempotency_mismatch",
  });
});

test("answers of decisions, claims and extensions are stored as well", async () => {
  await harness.configure([approvalPolicy("p", { stages: [stageBy("group:dba")] })]);
  const { request } = unwrap(await harness.ask("dev"));
  const { requestCommands } = harness.services;
  const call = (verb: string) => ({ call: `POST /${verb}` });
  unwrap(await requestCommands.approve(await withKey("ann", call("approve")), request.id, {}));
  unwrap(await requestCommands.claim(await withKey("dev", call("claim")), request.id));
  const child = unwrap(
    await requestCommands.extend(await withKey("dev", call("extend")), request.id, {
      duration: "1h",
      reason: "r",
    }),
  );
  const find = async (verb: string) => {
    const kept = await harness.services.idempotency.find(once(call(verb)));
    return kept === undefined || isRefusal(kept)
      ? kept
      : [kept.status, (JSON.parse(kept.body) as { id: string; status: string }).status];
  };
  expect(await find("approve")).toEqual([200, "APPROVED"]);
  expect(await find("claim")).toEqual([200, "ACTIVE"]);
  expect(await find("extend")).toEqual([201, "PENDING"]);
  expect(refusalOrStatus(child)).toBe("PENDING");
});

test("a stored answer expires after a day", async () => {
  await harness.configure([autoPolicy("auto")]);
  unwrap(await harness.services.requestCommands.ask(await withKey("dev"), input));
  harness.clock.pass(86_400_000);
  expect(await harness.services.idempotency.find(once())).toBeUndefined();
});
