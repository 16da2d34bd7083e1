import { expect, test } from "vitest";
import { programVersion } from "../../../src/core/values/program-version.ts";
import { openHouse } from "../support/http-harness.ts";

test("healthz says ok and which version it is, and asks nothing of anybody", async () => {
  const house = await openHouse();
  const answer = await house.call("GET", "/healthz");
  await house.close();
  expect({ status: answer.status, text: answer.text }).toEqual({
    status: 200,
    text: `{"status":"ok","version":"${programVersion}"}`,
  });
});

test("readyz names every check, and is a 503 problem when one of them fails", async () => {
  const checks = { database: { ok: true, detail: "readable" }, sweep: { ok: true } };
  const ready = await openHouse({ readiness: async () => checks });
  expect((await ready.call("GET", "/readyz")).body).toEqual({ status: "ready", checks });
  await ready.close();

  const late = { ...checks, sweep: { ok: false, detail: "has not run yet" } };
  const waiting = await openHouse({ readiness: async () => late });
  const answer = await waiting.call("GET", "/readyz");
  await waiting.close();
  expect(answer.status).toBe(503);
  expect(answer.headers["content-type"]).toBe("application/problem+json");
  expect(answer.body).toMatchObject({ code: "not_ready", detail: "Not ready: sweep.", checks: late });
});

test("readyz stays 200 when what is not ok only advises, and shows it", async () => {
  const checks = {
    database: { ok: true, detail: "readable" },
    config: { ok: false, detail: "refused", advisory: true },
  } as const;
  const house = await openHouse({ readiness: async () => checks });
  const answer = await house.call("GET", "/readyz");
  await house.close();
  expect({ status: answer.status, body: answer.body }).toEqual({
    status: 200,
    body: { status: "ready", checks },
  });
});

test("readyz is a 503 when readiness cannot even be asked", async () => {
  const house = await openHouse({
    readiness: async () => {
      throw new Error("the disk is gone: /secret/path");
    },
  });
  const answer = await house.call("GET", "/readyz");
  await house.close();
  expect(answer.status).toBe(503);
  expect(answer.text).not.toContain("/secret/path");
});
