import type { Instant } from "../../core/values/ids.ts";
import { formatDuration, secondMs } from "../../core/values/time.ts";
import type { AuditHeadWatch } from "../../service/guards/audit-head-watch.ts";
import type { HeadComparison, Reads } from "../../service/ports/store.ts";
import type { ReservedSpace } from "../../service/guards/reserved-space.ts";
import type { TakeBacks } from "../../service/ports/target-reads.ts";
import type { Clock } from "../process/clock.ts";
import type { ConfigurationState } from "./configuration-state.ts";

export interface SweepState {
  readonly lastSuccessAt: () => Instant | null;
  readonly isOnTime: () => boolean;
}

interface Check {
  readonly ok: boolean;
  readonly detail: string;
  /** A failed check needs an operator's attention, but the service still does its work. */
  readonly advisory?: true;
}

/** What can refuse new access while checks and endings continue. */
export interface Guards {
  readonly clock: Clock;
  readonly auditHead: Pick<AuditHeadWatch, "state">;
  readonly reserve: Pick<ReservedSpace, "isMissing">;
}

type Checks = Readonly<Record<string, Check>>;

/** The checks of /readyz. Each probe runs them, and they fail when the database cannot be read. */
export function readinessOf(
  store: Pick<Reads, "auditHead" | "outbox" | "takeBacks">,
  { clock, auditHead, reserve }: Guards,
  sweeps: SweepState,
  configuration: () => ConfigurationState,
  /** The names of the connectors that are unavailable. */
  connectors: () => Promise<readonly string[]> = async () => [],
): () => Promise<Checks> {
  return async () => {
    const now = clock.now();
    const head = await store.auditHead();
    const { waiting, oldestDueAt } = await store.outbox(now);
    const lastSweepAt = sweeps.lastSuccessAt();
    const age = oldestDueAt === null ? "" : `, the oldest for ${formatDuration(now - oldestDueAt)}`;
    return {
      database: { ok: true, detail: "readable" },
      sweep: {
        ok: sweeps.isOnTime(),
        detail: lastSweepAt === null ? "has not run yet" : `ran ${formatDuration(now - lastSweepAt)} ago`,
      },
      clock: clockCheck(clock),
      disk: reserve.isMissing()
        ? { ok: false, detail: "full: endings and denials are written, all else is refused", advisory: true }
        : { ok: true, detail: "space for endings is reserved", advisory: true },
      audit: headCheck(auditHead.state(), head.seq),
      outbox: { ok: true, detail: `${waiting} waiting${age}` },
      // Always ok: taking this service out of rotation would not take anything back.
      targets: { ok: true, detail: takeBacksText(await store.takeBacks(), now) },
      config: configurationCheck(configuration(), now),
      connectors: connectorsCheck(await connectors()),
    };
  };
}

/** Names connectors only. Problems may contain addresses; the log and `jit connectors list` have them. */
function connectorsCheck(names: readonly string[]): Check {
  if (names.length === 0) return { ok: true, detail: "as configured", advisory: true };
  return { ok: false, detail: `not available: ${names.join(", ")}`, advisory: true };
}

function headCheck(state: HeadComparison, seq: number): Check {
  const lost = { differs: "other than the last head seen", shorter: "shorter than the last head seen" };
  return state === "matches"
    ? { ok: true, detail: `head ${seq}`, advisory: true }
    : { ok: false, detail: `head ${seq}, ${lost[state]}: new access is refused`, advisory: true };
}

function clockCheck(clock: Clock): Check {
  const behindMs = clock.behindMs();
  const behind = `${formatDuration(behindMs)} behind`;
  if (clock.isBehindSinceStart()) {
    const detail = `${behind} the last commit: new access is refused`;
    return { ok: false, detail, advisory: true };
  }
  const detail = behindMs < secondMs ? "in order" : `${behind}; time goes on from where it was`;
  return { ok: true, detail, advisory: true };
}

function takeBacksText({ waiting, overdue, oldestOverdueSince }: TakeBacks, now: Instant): string {
  const late =
    oldestOverdueSince === null
      ? "none overdue"
      : `${overdue} overdue, the oldest for ${formatDuration(now - oldestOverdueSince)}`;
  return `${waiting} to be taken back, ${late}`;
}

/** Counts problems only, because a probe needs no key and problems quote the file. The log has them. */
function configurationCheck({ loadedAt, refused }: ConfigurationState, now: Instant): Check {
  const age = formatDuration(now - loadedAt);
  if (refused === undefined) return { ok: true, detail: `loaded ${age} ago`, advisory: true };
  const { at, problems } = refused;
  const count = `${problems} ${problems === 1 ? "problem" : "problems"}`;
  const detail = `the reload ${formatDuration(now - at)} ago was refused with ${count}; in force is what was loaded ${age} ago`;
  return { ok: false, detail, advisory: true };
}
