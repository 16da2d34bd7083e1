import { expect, test } from "vitest";
import { programVersion } from "../../../src/core/values/program-version.ts";
import { openHttpHarness } from "../support/http-harness.ts";

test("healthz returns ok and the version without depending on anything", async () => {
  const harness = await openHttpHarness();
  const answer = await harness.call("GET", "/healthz");
  await harness.close();
  expect({ status: answer.status, text: answer.text }).toEqual({
    status: 200,
    text: `{"status":"ok","version":"${programVersion}"}`,
  });
});

test("readyz names every check, and is a 503 problem when one of them fails", async () => {
  const checks = { database: { ok: true, detail: "readable" }, sweep: { ok: true } };
  const ready = await openHttpHarness({ readiness: async () => checks });
  expect((await ready.call("GET", "/readyz")).body).toEqual({ status: "ready", checks });
  await ready.close();

  const late = { ...checks, sweep: { ok: false, detail: "has not run yet" } };
  const waiting = await openHttpHarness({ readiness: async () => late });
  const answer = await waiting.call("GET", "/readyz");
  await waiting.close();
  expect(answer.status).toBe(503);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.body).toMatchObject({ code: "not_ready", detail: "Not ready: sweep.", checks: late });
});

test("readyz stays 200 when only an advisory check fails, and shows it", async () => {
  const checks = {
    database: { ok: true, detail: "readable" },
    config: { ok: false, detail: "refused", advisory: true },
  } as const;
  const harness = await openHttpHarness({ readiness: async () => checks });
  const answer = await harness.call("GET", "/readyz");
  await harness.close();
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: 200,
    body: { status: "ready", checks },
  });
});

test("readyz is a 503 when the checks themselves fail", async () => {
  const harness = await openHttpHarness({
    readiness: async () => {
      throw new Error("the disk is gone: /secret/path");
    },
  });
  const answer = await harness.call("GET", "/readyz");
  await harness.close();
  expect(answer.status).toBe(503);
  expect(answer.text).not.toContain("/secret/path");
});
