import type { Logger } from "pino";
import type { Settings } from "../config/environment.ts";
import type { ServiceAlert } from "../core/effects/effects.ts";
import { formatDuration, formatInstant } from "../core/values/time.ts";
import { createClock, type Clock } from "./process/clock.ts";
import { clockHold } from "./process/clock-hold.ts";
import type { Metrics } from "./observability/metrics.ts";
import { firstHold, withAccessHold, type AccessHold } from "../service/guards/access-hold.ts";
import { createAuditHeadWatch, type AuditHeadWatch } from "../service/guards/audit-head-watch.ts";
import { withClockMark } from "../service/guards/clock-mark.ts";
import type { Store } from "../service/ports/store.ts";
import { withReservedSpace } from "../service/guards/reserved-space.ts";
import {
  createDiskReserve,
  isForWantOfSpace,
  lastHeadFile,
  openStore,
  type DiskReserve,
} from "../store/open-store.ts";
import { packageRoot } from "./package-root.ts";

export interface GuardedStore {
  readonly store: Store;
  readonly clock: Clock;
  readonly auditHead: AuditHeadWatch;
  readonly reserve: DiskReserve;
  readonly accessHold: AccessHold;
  /** Why new access is refused, for administrators. */
  readonly alerts: () => readonly ServiceAlert[];
}

/** Opens the store with the guards that keep ended access from coming back after a restart. */
export async function openGuardedStore(
  settings: Settings,
  metrics: Pick<Metrics, "clockJumped">,
  log: Logger,
  onFatal: (fault: unknown) => void,
): Promise<GuardedStore> {
  const { databaseFile } = settings;
  const reserve = createDiskReserve(databaseFile);
  const open = () => openStore({ databaseFile, packageRoot, onFatal });
  const plain = await open().catch((error: unknown) => {
    if (!isForWantOfSpace(error)) throw error;
    // A start has to write a little. If it fails, no access can be ended.
    reserve.release();
    return open();
  });
  const reserved = withReservedSpace(plain, reserve, () => performance.now());
  const clock = createClock(
    { system: Date.now, monotonic: () => performance.now() },
    {
      lastCommitAt: await plain.clockMark(),
      onJump: (direction, ms) => {
        log.warn({ direction, by: formatDuration(ms) }, "system clock jumped");
        metrics.clockJumped(direction);
      },
    },
  );
  if (clock.isBehindSinceStart()) {
    const facts = { lastCommitAt: formatInstant(clock.now()), behind: formatDuration(clock.behindMs()) };
    log.error(facts, "system clock behind the last commit: new access is refused");
  }
  const auditHead = createAuditHeadWatch(plain, lastHeadFile(databaseFile), (state, seen) =>
    log.error({ state, seen }, "audit log lacks the last head seen: new access is refused"),
  );
  await auditHead.check();
  const accessHold = firstHold([clockHold(clock), auditHead.hold]);
  return {
    store: withAccessHold(withClockMark(reserved, clock.now), accessHold),
    clock,
    auditHead,
    reserve,
    accessHold,
    alerts: () => [
      ...(clock.isBehindSinceStart()
        ? [{ name: "clock_behind", lastCommitAt: clock.now(), behindMs: clock.behindMs() } as const]
        : []),
      ...(auditHead.state() === "matches" ? [] : [{ name: "audit_head_differs" } as const]),
      ...(reserve.isMissing() ? [{ name: "disk_full" } as const] : []),
    ],
  };
}
