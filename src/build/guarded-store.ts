import { join } from "node:path";
import type { Logger } from "pino";
import type { Settings } from "../config/environment.ts";
import { formatDuration, formatInstant } from "../core/time.ts";
import { createClock, type Clock } from "../runtime/clock.ts";
import { clockHold } from "../runtime/clock-hold.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { firstHold, withAccessHold, type AccessHold } from "../service/access-hold.ts";
import { withClockMark } from "../service/clock-mark.ts";
import type { Store } from "../service/ports.ts";
import { openSqliteStore } from "../store/sqlite-store.ts";
import { shipped } from "./shipped.ts";

export interface GuardedStore {
  readonly store: Store;
  readonly clock: Clock;
  readonly accessHold: AccessHold;
}

/** Opens the store, with everything that keeps what has ended from coming back after a restart. */
export async function openGuardedStore(
  settings: Settings,
  metrics: Pick<Metrics, "clockJumped">,
  log: Logger,
  onFatal: (fault: unknown) => void,
): Promise<GuardedStore> {
  const plain = await openSqliteStore({
    file: settings.databaseFile,
    migrationsFolder: join(shipped, "migrations"),
    onFatal,
    onThread: (news) => {
      if (news === "there") log.info("many changes at once: a second thread writes them from now on");
      else log.warn({ err: news }, "no second thread: many changes at once hold up the answers to others");
    },
  });
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
  const accessHold = firstHold([clockHold(clock)]);
  return { store: withAccessHold(withClockMark(plain, clock.now), accessHold), clock, accessHold };
}
