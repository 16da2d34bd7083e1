import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  api,
  devAsk,
  jit,
  openHttpHarness,
  prodAsk,
  tokenIn,
  type HttpHarness,
} from "../support/http-harness.ts";

let harness: HttpHarness;
beforeEach(async () => {
  harness = await openHttpHarness();
});
afterEach(async () => {
  await harness.close();
});

const post = async (name: string, url: string, body: object, idempotencyKey = "one") =>
  harness.call("POST", url, {
    key: await harness.keyOf(name),
    body,
    headers: { "idempotency-key": idempotencyKey },
  });

describe("the same call again", () => {
  test("gets the same status and body, marked as replayed, and never the token", async () => {
    const first = await post("dev", jit, devAsk);
    const again = await post("dev", jit, devAsk);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.headers["idempotency-replayed"]).toBe("true");
    expect(first.headers["idempotency-replayed"]).toBeUndefined();
    const { credential, ...rest } = first.body;
    const { token: _, ...shown } = credential as Record<string, unknown>;
    expect(again.body).toEqual({ ...rest, credential: { ...shown, tokenShown: true } });
    expect(again.text).not.toContain(tokenIn(first));
  });

  test("also replays refusals", async () => {
    const wrong = { ...prodAsk, scopes: ["nonsense"] };
    const first = await post("dev", jit, wrong);
    const again = await post("dev", jit, wrong);
    expect([first.status, again.status]).toEqual([422, 422]);
    expect(again.body).toEqual(first.body);
    expect(again.headers["content-type"]).toBe("application/problem+json");
  });

  test("does not run a command twice", async () => {
    const id = await harness.ask();
    const first = await post("ann", `${jit}/${id}/approve`, {});
    const again = await post("ann", `${jit}/${id}/approve`, {});
    expect([first.status, again.status, again.body["status"]]).toEqual([200, 200, "APPROVED"]);
  });

  test("creates an administrator's object once, and shows its key once", async () => {
    const make = () =>
      harness.call("POST", `${api}/api-keys`, {
        key: harness.admin,
        body: { identityId: "id_dev", roles: ["requester"] },
        headers: { "idempotency-key": "k" },
      });
    const [first, again] = [await make(), await make()];
    expect(again.body["id"]).toBe(first.body["id"]);
    expect(again.body).toMatchObject({ tokenShown: true });
    expect(again.body["token"]).toBeUndefined();
  });
});

test("another body under the same key is refused", async () => {
  await post("dev", jit, devAsk);
  const other = await post("dev", jit, { ...devAsk, reason: "another" });
  expect([other.status, other.body["code"]]).toEqual([422, "idempotency_mismatch"]);
});

test("another API key, path or Idempotency-Key is another call", async () => {
  expect((await post("dev", jit, prodAsk)).status).toBe(201);
  expect((await post("dev", jit, prodAsk, "two")).body["code"]).toBe("duplicate_request");
  expect((await post("ann", jit, { ...prodAsk, identityId: "id_ann" })).status).toBe(201);
});

test("the same call during the first is refused, and runs once", async () => {
  await harness.keyOf("dev");
  const answers = await Promise.all(Array.from({ length: 6 }, () => post("dev", jit, devAsk)));
  const codes = answers.map((one) => one.body["code"] ?? one.body["status"]);
  expect(codes.filter((code) => code === "ACTIVE").length).toBeGreaterThanOrEqual(1);
  const ids = new Set(answers.flatMap((one) => (one.status === 201 ? [one.body["id"]] : [])));
  expect(ids.size).toBe(1);
  expect(codes.every((code) => code === "ACTIVE" || code === "idempotency_running")).toBe(true);
});

test("an invalid Idempotency-Key is refused, on POST only", async () => {
  for (const bad of ["", " ", "a b", "x".repeat(256)]) {
    const { status } = await post("dev", jit, devAsk, bad);
    expect(status).toBe(400);
  }
  const read = await harness.call("GET", jit, {
    key: await harness.keyOf("dev"),
    headers: { "idempotency-key": "a b" },
  });
  expect(read.status).toBe(200);
});

test("a 401 is not stored: the call succeeds with the right key", async () => {
  const call = (key: string) =>
    harness.call("POST", jit, { key, body: devAsk, headers: { "idempotency-key": "x" } });
  expect((await call("kd_live_nonsense")).status).toBe(401);
  expect((await call(await harness.keyOf("dev"))).status).toBe(201);
});
