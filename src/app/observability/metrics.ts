import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { auditActions } from "../../core/audit/audit-record.ts";
import { programVersion } from "../../core/values/program-version.ts";
import { secondMs } from "../../core/values/time.ts";
import { refusalStatus } from "../../core/values/refusals.ts";
import type { CommitListener } from "../../service/ports/observed-store.ts";
import { serviceGauges, targetGauges, type GaugeDefinition, type MetricSources } from "./gauges.ts";

export interface Metrics {
  /** Counts committed decisions, the time they took, and every kind of audit record. */
  readonly onCommit: CommitListener;
  /** Counts a call by the pattern of its route, because a path holds ids and names of people. */
  readonly responded: (method: string, route: string, status: number, seconds: number) => void;
  readonly refused: (code: string) => void;
  /** Somebody presented a key or token that is not valid. */
  readonly authenticationFailed: (kind: "api_key" | "token") => void;
  /** The system clock was set, or the machine slept. */
  readonly clockJumped: (direction: "back" | "forward") => void;
  /** Adds the gauges that are read at each scrape. */
  readonly observe: (sources: MetricSources) => void;
  readonly contentType: string;
  /** The current values as Prometheus text. */
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

/** All our metrics carry the prefix `jit_`, and no label names a person. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  addBuildInfo(registry);
  const http = createHttpMetrics(registers);
  const { decided, timeToDecision, records } = createDecisionMetrics(registers);
  const { clockJumps, failedAuthentications } = createIntegrityMetrics(registers);
  return {
    onCommit({ audit, writes }) {
      for (const { action } of audit) {
        records.inc({ action });
        if (isDecision(action)) decided.inc({ decision: decisions[action] });
      }
      const isDecidedByPeople = audit.some(
        ({ action }) => action === "request.approved" || action === "request.denied",
      );
      for (const write of isDecidedByPeople ? writes : []) {
        if (write.kind !== "request" || write.value.decidedAt === null) continue;
        timeToDecision.observe((write.value.decidedAt - write.value.requestedAt) / secondMs);
      }
    },
    responded(method, route, status, seconds) {
      http.requests.inc({ method, route, status });
      http.seconds.observe({ method, route }, seconds);
    },
    refused: (code) => http.refusals.inc({ code }),
    authenticationFailed: (kind) => failedAuthentications.inc({ kind }),
    clockJumped: (direction) => clockJumps.inc({ direction }),
    observe: (sources) => {
      for (const gauge of [...serviceGauges(sources), ...targetGauges(sources)]) addGauge(registry, gauge);
    },
    contentType: registry.contentType,
    render: async () => registry.metrics(),
  };
}

function addBuildInfo(registry: Registry): void {
  const buildInfo = new Gauge({
    name: "jit_build_info",
    help: "Always 1; its label is the version of the program.",
    labelNames: ["version"],
    registers: [registry],
  });
  buildInfo.set({ version: programVersion }, 1);
}

function addGauge(registry: Registry, { name, help, read }: GaugeDefinition): void {
  const gauge = new Gauge({
    name,
    help,
    registers: [],
    async collect() {
      this.set(await read());
    },
  });
  registry.registerMetric(gauge);
}

// Counters over a closed set of values have all their series from the start, so that Prometheus sees the first event as an increase.

function createHttpMetrics(registers: Registry[]) {
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
  for (const code of Object.keys(refusalStatus)) refusals.inc({ code }, 0);
  return { requests, seconds, refusals };
}

function createDecisionMetrics(registers: Registry[]) {
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
  for (const decision of Object.values(decisions)) decided.inc({ decision }, 0);
  for (const action of auditActions) records.inc({ action }, 0);
  return { decided, timeToDecision, records };
}

/** Counters that point to somebody who guesses credentials, or to a clock that was set. */
function createIntegrityMetrics(registers: Registry[]) {
  const clockJumps = new Counter({
    name: "jit_clock_jumps_total",
    help: "Jumps of the system clock by direction.",
    labelNames: ["direction"],
    registers,
  });
  const failedAuthentications = new Counter({
    name: "jit_authentication_failures_total",
    help: "API keys and tokens presented that are not valid, also those answered with a rate limit.",
    labelNames: ["kind"],
    registers,
  });
  for (const direction of ["back", "forward"]) clockJumps.inc({ direction }, 0);
  for (const kind of ["api_key", "token"]) failedAuthentications.inc({ kind }, 0);
  return { clockJumps, failedAuthentications };
}
