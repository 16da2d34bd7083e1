import type { Instant } from "../../core/values/ids.ts";
import { secondMs } from "../../core/values/time.ts";
import type { HeadComparison, Reads } from "../../service/ports/store.ts";
import type { ConfigurationState } from "./configuration-state.ts";

/** Where the gauges read their values at each scrape. */
export interface MetricSources {
  readonly store: Pick<Reads, "activeGrants" | "strandedRequests" | "outbox" | "takeBacks">;
  readonly now: () => Instant;
  readonly lastSweepAt: () => Instant | null;
  readonly isLockedDown: () => Promise<boolean>;
  readonly configuration: () => ConfigurationState;
  readonly clockBehindMs: () => number;
  readonly auditHead: () => HeadComparison;
  readonly isReserveMissing: () => boolean;
  /** The names of the connectors that are unavailable. */
  readonly connectors: () => Promise<readonly string[]>;
}

/** A metric that is read when Prometheus asks, so that it is current and costs nothing in between. */
export interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly read: () => Promise<number> | number;
}

/** The state of the service itself: configuration, clock, disk, audit log, sweeps and outbox. */
export function serviceGauges(sources: MetricSources): readonly GaugeDefinition[] {
  const { store, now, lastSweepAt, isLockedDown, configuration, clockBehindMs, auditHead, isReserveMissing } =
    sources;
  return [
    {
      name: "jit_config_reload_failed",
      help: "1 when the last reload was refused, else 0.",
      read: () => (configuration().refused === undefined ? 0 : 1),
    },
    {
      name: "jit_config_reload_time_seconds",
      help: "When the configuration in force was loaded, in seconds since 1970.",
      read: () => configuration().loadedAt / secondMs,
    },
    {
      name: "jit_active_grants",
      help: "Credentials that open something now.",
      read: async () => store.activeGrants(now()),
    },
    {
      name: "jit_requests_stranded",
      help: "Requests that wait for more approvers than there are.",
      read: async () => store.strandedRequests(now()),
    },
    {
      name: "jit_lockdown",
      help: "1 while a lockdown is on, else 0.",
      read: async () => ((await isLockedDown()) ? 1 : 0),
    },
    {
      name: "jit_clock_behind_seconds",
      help: "How far the system clock is behind the time everything is decided by.",
      read: () => clockBehindMs() / secondMs,
    },
    {
      name: "jit_disk_reserve_missing",
      help: "1 while the space kept for endings is given up, else 0.",
      read: () => (isReserveMissing() ? 1 : 0),
    },
    {
      name: "jit_audit_head_differs",
      help: "1 while the audit log lacks the last head seen, else 0.",
      read: () => (auditHead() === "matches" ? 0 : 1),
    },
    {
      name: "jit_sweep_age_seconds",
      help: "Since the last whole sweep; -1 before the first.",
      read: () => ageSeconds(lastSweepAt(), now()) ?? -1,
    },
    {
      name: "jit_outbox_depth",
      help: "Effects that wait to be done.",
      read: async () => (await store.outbox(now())).waiting,
    },
    {
      name: "jit_outbox_age_seconds",
      help: "Age of the oldest effect that waits; 0 when none does.",
      read: async () => ageSeconds((await store.outbox(now())).oldestDueAt, now()) ?? 0,
    },
  ];
}

/** What is left at targets, and which targets we cannot reach. */
export function targetGauges({ store, now, connectors }: MetricSources): readonly GaugeDefinition[] {
  return [
    {
      name: "jit_connectors_unavailable",
      help: "Connectors that lack their secret or their confirmed address, or hold objects and are not configured.",
      read: async () => (await connectors()).length,
    },
    {
      name: "jit_take_backs_waiting",
      help: "Objects at targets that are to be gone and are not confirmed gone.",
      read: async () => (await store.takeBacks()).waiting,
    },
    {
      name: "jit_take_backs_overdue",
      help: "Objects at targets that should have been gone for a minute or more.",
      read: async () => (await store.takeBacks()).overdue,
    },
    {
      name: "jit_take_back_overdue_seconds",
      help: "Since the access of the oldest overdue object was over; 0 when none is.",
      read: async () => ageSeconds((await store.takeBacks()).oldestOverdueSince, now()) ?? 0,
    },
  ];
}

function ageSeconds(at: Instant | null, now: Instant): number | undefined {
  return at === null ? undefined : Math.max(0, now - at) / secondMs;
}
