import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { auditActions } from "../../src/core/audit/audit-record.ts";
import { refusalStatus } from "../../src/core/values/refusals.ts";
import { leavesNothingBehind } from "../support/leftover-processes.ts";
import { fencesOf, rowNames } from "../support/markdown.ts";
import { sharedProgram } from "../support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const monitoring = read("docs/monitoring.md");
const alerts = read("docs/alerts.md");
const pages = readdirSync(join(root, "docs"), { encoding: "utf8" })
  .filter((path) => path.endsWith(".md"))
  .map((path) => read(join("docs", path)))
  .join("\n");
const service = sharedProgram();

async function metricNames(): Promise<string[]> {
  const page = await (await fetch(`${service().address}/metrics`)).text();
  return [...page.matchAll(/^# TYPE (\w+) /gm)].map(([, name = ""]) => name);
}

const sorted = (texts: Iterable<string>): string[] => [...new Set(texts)].toSorted();

test("the page lists exactly the metrics of the service", async () => {
  const metrics = await metricNames();
  expect(metrics.length).toBeGreaterThan(5);
  expect(sorted(rowNames(monitoring, "## Metrics"))).toEqual(sorted(metrics));
});

describe("the alerts", () => {
  const rule = z.strictObject({
    alert: z.string().regex(/^Jit[A-Za-z]+$/),
    expr: z.string(),
    for: z.string().optional(),
    labels: z.strictObject({ severity: z.enum(["page", "ticket"]) }),
    annotations: z.strictObject({ summary: z.string().endsWith(".") }),
  });
  const [fence] = fencesOf(alerts).filter(({ info }) => info === "yaml");
  const { groups } = z
    .strictObject({ groups: z.tuple([z.strictObject({ name: z.string(), rules: z.array(rule) })]) })
    .parse(parse(fence?.content ?? ""));
  const { rules } = groups[0];
  const valuesOf = (label: string): string[] =>
    rules.flatMap(({ expr }) =>
      [...expr.matchAll(new RegExp(`${label}="([^"]+)"`, "g"))].map(([, value = ""]) => value),
    );

  test("watch metrics that exist, by values that their labels take", async () => {
    const watched = rules.flatMap(({ expr }) => expr.match(/\bjit_[a-z_]+/g) ?? []);
    expect(watched.length).toBeGreaterThan(5);
    const known = (await metricNames()).flatMap((name) => [name, `${name}_bucket`]);
    expect(watched.filter((name) => !known.includes(name))).toEqual([]);
    expect(valuesOf("action").filter((action) => !auditActions.some((one) => one === action))).toEqual([]);
    expect(valuesOf("code").filter((code) => !(code in refusalStatus))).toEqual([]);
  });

  test("name routes as the metrics count them", async () => {
    const routes = valuesOf("route");
    await fetch(`${service().address}/api/v1/check`);
    const text = await (await fetch(`${service().address}/metrics`)).text();
    for (const route of routes) expect(text).toContain(`route="${route}"`);
  });

  test("have different names", () => {
    expect(sorted(rules.map(({ alert }) => alert))).toHaveLength(rules.length);
  });
});

test("the source writes each log line that the page explains", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => read(join("src", path)))
    .join("\n");
  const lines = rowNames(monitoring, "## Log");
  expect(lines.length).toBeGreaterThan(5);
  expect(lines.filter((line) => !sources.includes(`"${line}"`))).toEqual([]);
});

test("the page explains exactly the checks of /readyz", async () => {
  const answer = z.object({ checks: z.record(z.string(), z.unknown()) });
  const { checks } = answer.parse(await (await fetch(`${service().address}/readyz`)).json());
  expect(sorted(rowNames(monitoring, "## Probes"))).toEqual(sorted(Object.keys(checks)));
});

test("the routes that the pages name exist, with their parameters", async () => {
  const document = z.object({
    paths: z.record(z.string(), z.record(z.string(), z.object({ parameters: z.unknown().optional() }))),
  });
  const { paths } = document.parse(await (await fetch(`${service().address}/openapi.json`)).json());
  const named = [...pages.matchAll(/\b(GET|POST|PATCH|PUT|DELETE) (\/api\/v1\/[\w/{}-]+)/g)];
  expect(named.length).toBeGreaterThan(20);
  const missing = named.filter(
    ([, method = "", path = ""]) => paths[path]?.[method.toLowerCase()] === undefined,
  );
  expect(missing.map(([text]) => text)).toEqual([]);
  const called = [...pages.matchAll(/\$URL(\/[\w/-]+)/g)].map(([, path = ""]) => path);
  expect(called.filter((path) => paths[path] === undefined)).toEqual([]);
});
