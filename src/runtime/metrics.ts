import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { auditActions } from "../core/audit-record.ts";
import type { Instant } from "../core/ids.ts";
import { refusalStatus } from "../core/refusals.ts";
import type { Reads } from "../service/ports.ts";
import type { Watcher } from "../service/watched-store.ts";

/** What is read at each scrape. */
export interface MetricSources {
  readonly store: Pick<Reads, "activeGrants" | "outbox" | "takeBacks">;
  readonly now: () => Instant;
  readonly lastSweepAt: () => Instant | null;
}

export interface Metrics {
  /** Counts what is committed: decisions, how long they took, every kind of record. */
  readonly watcher: Watcher;
  /** One answered call, by its route's pattern, never its path: no ids, no people. */
  readonly answered: (method: string, route: string, status: number, seconds: number) => void;
  readonly refused: (code: string) => void;
  /** Adds what is read at each scrape. */
  readonly observe: (sources: MetricSources) => void;
  readonly contentType: string;
  /** The Prometheus text of this moment. */
  readonly render: () => Promise<string>;
}

const decisions = {
  "request.auto_approved": "auto_approved",
  "request.approved": "approved",
  "request.denied": "denied",
  "request.timed_out": "timed_out",
} as const;

function isDecision(action: string): action is keyof typeof decisions {
  return action in decisions;
}

/** Everything under the prefix `jit_`, without a person in any label. */
export function createMetrics(): Metrics {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  const requests = new Counter({
    name: "jit_http_requests_total",
    help: "Answered calls by method, route and status.",
    labelNames: ["method", "route", "status"],
    registers,
  });
  const seconds = new Histogram({
    name: "jit_http_request_seconds",
    help: "How long calls took, by route.",
    labelNames: ["method", "route"],
    buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const refusals = new Counter({
    name: "jit_refusals_total",
    help: "Calls answered with a problem, by its code.",
    labelNames: ["code"],
    registers,
  });
  const decided = new Counter({
    name: "jit_decisions_total",
    help: "Requests by what was decided.",
    labelNames: ["decision"],
    registers,
  });
  const timeToDecision = new Histogram({
    name: "jit_time_to_decision_seconds",
    help: "From the ask to the approval or denial by people.",
    buckets: [10, 60, 300, 900, 3_600, 14_400, 86_400],
    registers,
  });
  const records = new Counter({
    name: "jit_audit_records_total",
    help: "Audit records by action.",
    labelNames: ["action"],
    registers,
  });
  // Present from the start, so that the first event after it is an increase and not a new series.
  for (const action of auditActions) records.inc({ action }, 0);
  for (const decision of Object.values(decisions)) decided.inc({ decision }, 0);
  for (const code of Object.keys(refusalStatus)) refusals.inc({ code }, 0);
  return {
    watcher({ audit, writes }) {
      for (const { action } of audit) {
        records.inc({ action });
        if (isDecision(action)) decided.inc({ decision: decisions[action] });
      }
      const byPeople = audit.some(
        (one) => one.action === "request.approved" || one.action === "request.denied",
      );
      for (const write of byPeople ? writes : []) {
        if (write.kind !== "request" || write.value.decidedAt === null) continue;
        timeToDecision.observe((write.value.decidedAt - write.value.requestedAt) / 1000);
      }
    },
    answered(method, route, status, took) {
      requests.inc({ method, route, status });
      seconds.observe({ method, route }, took);
    },
    refused: (code) => refusals.inc({ code }),
    observe: (sources) => addGauges(sources, registers),
    contentType: registry.contentType,
    render: () => registry.metrics(),
  };
}

/** Read from the store when somebody looks, so that they are true and cost nothing in between. */
function addGauges(sources: MetricSources, registers: Registry[]): void {
  const gauge = (
    name: string,
    help: string,
    read: (from: MetricSources) => Promise<number> | number,
  ): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read(sources));
      },
    });
  gauge("jit_active_grants", "Credentials that open something now.", ({ store, now }) =>
    store.activeGrants(now()),
  );
  gauge("jit_sweep_age_seconds", "Since the last whole sweep; -1 before the first.", ({ lastSweepAt, now }) =>
    ageSeconds(lastSweepAt(), now()),
  );
  gauge(
    "jit_take_backs_waiting",
    "Objects at targets that are to be gone and are not confirmed gone.",
    async ({ store }) => (await store.takeBacks()).waiting,
  );
  gauge(
    "jit_take_backs_overdue",
    "Objects at targets that should have been gone for a minute or more.",
    async ({ store }) => (await store.takeBacks()).overdue,
  );
  gauge(
    "jit_take_back_overdue_seconds",
    "Since the access of the oldest overdue object was over; 0 when none is.",
    async ({ store, now }) => {
      const { oldestOverdueSince } = await store.takeBacks();
      return oldestOverdueSince === null ? 0 : ageSeconds(oldestOverdueSince, now());
    },
  );
  gauge(
    "jit_outbox_depth",
    "Effects that wait to be done.",
    async ({ store, now }) => (await store.outbox(now())).waiting,
  );
  gauge(
    "jit_outbox_age_seconds",
    "Age of the oldest effect that waits; 0 when none does.",
    async ({ store, now }) => {
      const { oldestDueAt } = await store.outbox(now());
      return oldestDueAt === null ? 0 : ageSeconds(oldestDueAt, now());
    },
  );
}

function ageSeconds(at: Instant | null, now: Instant): number {
  return at === null ? -1 : Math.max(0, now - at) / 1000;
}
