import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMetrics } from "../../src/app/observability/metrics.ts";
import { auditActions } from "../../src/core/audit/audit-record.ts";
import { refusalStatus } from "../../src/core/values/refusals.ts";
import { programVersion } from "../../src/core/values/program-version.ts";
import { instant } from "../../src/core/values/ids.ts";

const now = instant(Date.UTC(2026, 0, 2));

function observed() {
  const metrics = createMetrics();
  let activeGrants = 0;
  metrics.observe({
    store: {
      activeGrants: async () => activeGrants,
      strandedRequests: async () => 2,
      outbox: async () => ({ waiting: 3, oldestDueAt: instant(now - 1_500) }),
      takeBacks: async () => ({ waiting: 4, overdue: 1, oldestOverdueSince: instant(now - 61_000) }),
    },
    now: () => now,
    lastSweepAt: () => null,
    isLockedDown: async () => true,
    configuration: () => ({ loadedAt: instant(now - 5_000) }),
    clockBehindMs: () => 250,
    auditHead: () => "matches",
    isReserveMissing: () => false,
    connectors: async () => ["orders-db"],
  });
  return { metrics, setActiveGrants: (count: number) => (activeGrants = count) };
}

test("the page has every name, help text, type and label that dashboards rely on", async () => {
  const { metrics } = observed();
  metrics.responded("GET", "/api/v1/requests", 200, 0.004);
  metrics.responded("GET", "/api/v1/requests", 200, 0.005);
  metrics.responded("GET", "/api/v1/requests", 404, 0.3);
  metrics.responded("POST", "none", 503, 61);
  metrics.refused("not_found");
  metrics.authenticationFailed("token");
  metrics.clockJumped("back");
  const expected = readFileSync(join(import.meta.dirname, "metrics.txt"), "utf8");
  const page = (await metrics.render()).replace(programVersion, "VERSION");
  expect(page.replaceAll(/^jit_(?:refusals|audit_records)_total\{.*\} 0\n/gm, "")).toBe(expected);
  expect(metrics.contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
});

test("every problem code and audit action is on the page from the start", async () => {
  const page = await observed().metrics.render();
  for (const code of Object.keys(refusalStatus))
    expect(page).toContain(`jit_refusals_total{code="${code}"} 0\n`);
  for (const action of auditActions) {
    expect(page).toContain(`jit_audit_records_total{action="${action}"} 0\n`);
  }
});

test("a label's value cannot end the label, the line or begin another one", async () => {
  const { metrics } = observed();
  metrics.responded("GET", '"} 1\njit_fake{a="\\', 200, 1);
  const lines = (await metrics.render()).split("\n");
  expect(lines.find((line) => line.startsWith("jit_http_requests_total"))).toBe(
    'jit_http_requests_total{method="GET",route="\\"} 1\\njit_fake{a=\\"\\\\",status="200"} 1',
  );
  expect(lines.filter((line) => line.startsWith("jit_fake"))).toEqual([]);
});

test("gauges are read at each scrape", async () => {
  const { metrics, setActiveGrants } = observed();
  expect(await metrics.render()).toContain("\njit_active_grants 0\n");
  setActiveGrants(2);
  expect(await metrics.render()).toContain("\njit_active_grants 2\n");
});
