import { auditActions } from "../../core/audit/audit-record.ts";
import { programVersion } from "../../core/values/program-version.ts";
import type { Instant } from "../../core/values/ids.ts";
import { refusalStatus } from "../../core/values/refusals.ts";
import type { HeadComparison, Reads } from "../../service/ports/store.ts";
import type { CommitListener } from "../../service/ports/observed-store.ts";
import type { ConfigurationState } from "./configuration-state.ts";
import {
  createCounter,
  createGauge,
  createHistogram,
  createInfo,
  prometheusContentType,
  type Family,
} from "./prometheus-text.ts";

/** What is read at each scrape. */
export interface MetricSources {
  readonly store: Pick<Reads, "activeGrants" | "strandedRequests" | "outbox" | "takeBacks">;
  readonly now: () => Instant;
  readonly lastSweepAt: () => Instant | null;
  readonly isLockedDown: () => Promise<boolean>;
  readonly configuration: () => ConfigurationState;
  readonly clockBehindMs: () => number;
  readonly auditHead: () => HeadComparison;
  readonly isReserveMissing: () => boolean;
  /** The names of those that are not what they should be. */
  readonly connectors: () => Promise<readonly string[]>;
}

export interface Metrics {
  /** Counts what is committed: decisions, how long they took, every kind of record. */
  readonly onCommit: CommitListener;
  /** One answered call, by its route's pattern, never its path: no ids, no people. */
  readonly responded: (method: string, route: string, status: number, seconds: number) => void;
  readonly refused: (code: string) => void;
  /** A key or token was presented that is not valid. */
  readonly authenticationFailed: (kind: "api_key" | "token") => void;
  /** The system clock was set, or the machine slept. */
  readonly clockJumped: (direction: "back" | "forward") => void;
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
  const build = createInfo("jit_build_info", "Always 1; its label is the version of the program.", {
    version: programVersion,
  });
  const requests = createCounter("jit_http_requests_total", "Answered calls by method, route and status.", [
    "method",
    "route",
    "status",
  ]);
  const seconds = createHistogram(
    "jit_http_request_seconds",
    "How long calls took, by route.",
    ["method", "route"],
    [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60],
  );
  const refusals = createCounter("jit_refusals_total", "Calls answered with a problem, by its code.", [
    "code",
  ]);
  const decided = createCounter("jit_decisions_total", "Requests by what was decided.", ["decision"]);
  const timeToDecision = createHistogram(
    "jit_time_to_decision_seconds",
    "From the ask to the approval or denial by people.",
    [],
    [10, 60, 300, 900, 3_600, 14_400, 86_400],
  );
  const records = createCounter("jit_audit_records_total", "Audit records by action.", ["action"]);
  const { failures, jumps } = integrityCounters();
  const families: Family[] = [build, requests, seconds, refusals, decided, timeToDecision, records];
  families.push(jumps, failures);
  // Present from the start, so that the first event after it is an increase and not a new series.
  for (const action of auditActions) records.add([action], 0);
  for (const decision of Object.values(decisions)) decided.add([decision], 0);
  for (const code of Object.keys(refusalStatus)) refusals.add([code], 0);
  return {
    onCommit({ audit, writes }) {
      for (const { action } of audit) {
        records.add([action]);
        if (isDecision(action)) decided.add([decisions[action]]);
      }
      const byPeople = audit.some(
        (one) => one.action === "request.approved" || one.action === "request.denied",
      );
      for (const write of byPeople ? writes : []) {
        if (write.kind !== "request" || write.value.decidedAt === null) continue;
        timeToDecision.observe([], (write.value.decidedAt - write.value.requestedAt) / 1000);
      }
    },
    responded(method, route, status, took) {
      requests.add([method, route, String(status)]);
      seconds.observe([method, route], took);
    },
    refused: (code) => refusals.add([code]),
    authenticationFailed: (kind) => failures.add([kind]),
    clockJumped: (direction) => jumps.add([direction]),
    observe: (sources) => void families.push(...gauges(sources)),
    contentType: prometheusContentType,
    render: async () => {
      const texts: string[] = [];
      for (const family of families) texts.push(await family.text());
      return texts.join("\n");
    },
  };
}

/** What points to somebody who guesses, or to a clock that was set. */
function integrityCounters() {
  const failures = createCounter(
    "jit_authentication_failures_total",
    "API keys and tokens presented that are not valid, also those answered with a rate limit.",
    ["kind"],
  );
  const jumps = createCounter("jit_clock_jumps_total", "Jumps of the system clock by direction.", [
    "direction",
  ]);
  for (const direction of ["back", "forward"]) jumps.add([direction], 0);
  for (const kind of ["api_key", "token"]) failures.add([kind], 0);
  return { failures, jumps };
}

/** What is at targets, and what keeps us from them. */
function targetGauges({ store, now, connectors }: MetricSources): readonly Family[] {
  return [
    createGauge(
      "jit_connectors_unavailable",
      "Connectors that lack their secret or their confirmed address, or hold objects and are not configured.",
      async () => (await connectors()).length,
    ),
    createGauge(
      "jit_take_backs_waiting",
      "Objects at targets that are to be gone and are not confirmed gone.",
      async () => (await store.takeBacks()).waiting,
    ),
    createGauge(
      "jit_take_backs_overdue",
      "Objects at targets that should have been gone for a minute or more.",
      async () => (await store.takeBacks()).overdue,
    ),
    createGauge(
      "jit_take_back_overdue_seconds",
      "Since the access of the oldest overdue object was over; 0 when none is.",
      async () => {
        const { oldestOverdueSince } = await store.takeBacks();
        return oldestOverdueSince === null ? 0 : ageSeconds(oldestOverdueSince, now());
      },
    ),
  ];
}

/** Read from the store when somebody looks, so that they are true and cost nothing in between. */
function gauges(sources: MetricSources): readonly Family[] {
  const { store, now, lastSweepAt, isLockedDown, configuration, clockBehindMs, auditHead, isReserveMissing } =
    sources;
  return [
    createGauge("jit_config_reload_failed", "1 when the last reload was refused, else 0.", () =>
      configuration().refused === undefined ? 0 : 1,
    ),
    createGauge(
      "jit_config_reload_time_seconds",
      "When the configuration in force was loaded, in seconds since 1970.",
      () => configuration().loadedAt / 1000,
    ),
    createGauge("jit_active_grants", "Credentials that open something now.", () => store.activeGrants(now())),
    createGauge("jit_requests_stranded", "Requests that wait for more approvers than there are.", () =>
      store.strandedRequests(now()),
    ),
    createGauge("jit_lockdown", "1 while a lockdown is on, else 0.", async () =>
      (await isLockedDown()) ? 1 : 0,
    ),
    createGauge(
      "jit_clock_behind_seconds",
      "How far the system clock is behind the time everything is decided by.",
      () => clockBehindMs() / 1000,
    ),
    createGauge("jit_disk_reserve_missing", "1 while the space kept for endings is given up, else 0.", () =>
      isReserveMissing() ? 1 : 0,
    ),
    createGauge("jit_audit_head_differs", "1 while the audit log lacks the last head seen, else 0.", () =>
      auditHead() === "matches" ? 0 : 1,
    ),
    createGauge("jit_sweep_age_seconds", "Since the last whole sweep; -1 before the first.", () =>
      ageSeconds(lastSweepAt(), now()),
    ),
    createGauge(
      "jit_outbox_depth",
      "Effects that wait to be done.",
      async () => (await store.outbox(now())).waiting,
    ),
    createGauge(
      "jit_outbox_age_seconds",
      "Age of the oldest effect that waits; 0 when none does.",
      async () => {
        const { oldestDueAt } = await store.outbox(now());
        return oldestDueAt === null ? 0 : ageSeconds(oldestDueAt, now());
      },
    ),
    ...targetGauges(sources),
  ];
}

function ageSeconds(at: Instant | null, now: Instant): number {
  return at === null ? -1 : Math.max(0, now - at) / 1000;
}
