import { afterAll, beforeAll, expect, test } from "vitest";
import { refusalStatus } from "../../../src/core/values/refusals.ts";
import { entries, list, openHttpHarness, type HttpHarness, type Json } from "../support/http-harness.ts";

let harness: HttpHarness;
let document: Json;
let operations: readonly (readonly [name: string, operation: Json])[];
beforeAll(async () => {
  harness = await openHttpHarness({ publicUrl: "https://jit.company.com" });
  document = (await harness.call("GET", "/openapi.json")).body;
  operations = entries(document["paths"]).flatMap(([path, methods]) =>
    entries(methods).map(([method, one]) => [`${method} ${path}`, one] as const),
  );
});
afterAll(async () => {
  await harness.close();
});

test("the document is OpenAPI 3.1, needs no key, and has the public address", () => {
  expect(document).toMatchObject({ openapi: "3.1.0", servers: [{ url: "https://jit.company.com" }] });
  expect(operations.length).toBeGreaterThan(30);
});

test("every operation has a summary, a tag, answers, and every answer a description", () => {
  const unsaid = operations.filter(([, { summary, tags, responses }]) => {
    const answers = entries(responses);
    const isSaid = /^[A-Z]/.test(String(summary)) && list(tags).length === 1 && answers.length > 0;
    return (
      !isSaid ||
      answers.some(([, answer]) => typeof answer["description"] !== "string" || answer["description"] === "")
    );
  });
  expect(unsaid.map(([name]) => name)).toEqual([]);
});

test("every refusal that is documented is a problem document under the status of its code", () => {
  const named = new Set<string>();
  for (const [, { responses }] of operations) {
    for (const [status, { description, content }] of entries(responses)) {
      if (content === undefined || Number(status) < 400) continue;
      expect(entries(content).map(([type]) => type)).toEqual(["application/problem+json"]);
      for (const [, code = ""] of String(description).matchAll(/`([a-z_]+)`/g)) {
        named.add(code);
        expect(Object.entries(refusalStatus)).toContainEqual([code, Number(status)]);
      }
    }
  }
  expect(named).toContain("duplicate_request");
  expect(named).toContain("rate_limited");
});

test("every reference resolves", () => {
  const text = JSON.stringify(document);
  const { components } = document;
  const schemas = JSON.stringify(components);
  for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g))
    expect(schemas).toContain(`"${name}":{`);
});

test("a body is documented as required only if one of its fields is", () => {
  const bodies = new Map(operations.map(([name, one]) => [name, one["requestBody"]]));
  expect(bodies.get("post /api/v1/credentials/jit/{id}/approve")).toMatchObject({ required: false });
  expect(bodies.get("post /api/v1/credentials/jit/{id}/deny")).toMatchObject({ required: true });
});

test("the documentation page loads everything from this server", async () => {
  const page = await harness.call("GET", "/docs/");
  expect(page.status).toBe(200);
  expect(page.headers["content-security-policy"]).toContain("default-src 'self'");
  for (const [, file] of page.text.matchAll(/(?:src|href)="\.\/(static\/[^"]+)"/g)) {
    expect((await harness.call("GET", `/docs/${file}`)).status).toBe(200);
  }
  expect((await harness.call("GET", "/docs/static/swagger-initializer.js")).text).toContain("/openapi.json");
});
