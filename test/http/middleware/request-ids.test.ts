import { expect, test } from "vitest";
import { jit, openHttpHarness } from "../support/http-harness.ts";

test("a fault of the service is a 500 that only names the request id", async () => {
  const harness = await openHttpHarness({
    changed: (services) => ({
      ...services,
      requestQueries: {
        ...services.requestQueries,
        list: async () => {
          throw new TypeError("password hunter2 at secret.ts:12");
        },
      },
    }),
  });
  const { status, body, text, headers } = await harness.call("GET", jit, {
    key: await harness.keyOf("dev"),
    headers: { "x-request-id": "my-call-1" },
  });
  await harness.close();
  expect(status).toBe(500);
  expect(body["code"]).toBe("internal");
  expect(text).not.toContain("hunter2");
  expect(headers["x-request-id"]).toBe("my-call-1");
  expect(harness.log.some((line) => line.includes("hunter2") && line.includes("my-call-1"))).toBe(true);
});

test("each access log line has the id of its own request", async () => {
  const harness = await openHttpHarness();
  const key = await harness.keyOf("dev");
  harness.log.length = 0;
  const ids = ["first", "second"];
  await Promise.all(ids.map((one) => harness.call("GET", jit, { key, headers: { "x-request-id": one } })));
  await harness.close();
  const lines = harness.log.map((line): unknown => JSON.parse(line));
  for (const one of ids) {
    expect(lines.filter((line) => isOf(line, one))).toMatchObject([
      { msg: "request completed", status: 200 },
    ]);
  }
});

function isOf(line: unknown, id: string): boolean {
  return typeof line === "object" && line !== null && "requestId" in line && line.requestId === id;
}

test("a request id that could forge a log line is replaced", async () => {
  const harness = await openHttpHarness();
  const { headers } = await harness.call("GET", "/healthz", {
    headers: { "x-request-id": 'a" , "level": 60' },
  });
  await harness.close();
  expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
});
