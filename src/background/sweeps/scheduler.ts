import { schedule, validate, type ScheduledTask } from "node-cron";
import type { Instant } from "../../core/values/ids.ts";
import { minuteMs, plus } from "../../core/values/time.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import type { Sweep } from "./request-sweeps.ts";

/** A hanging run is abandoned after this, so that it cannot block all later runs. */
export const sweepRunMaxMs = 30_000;

/** How late a tick may succeed and still count as on time. */
const lateMaxMs = minuteMs;

export interface SweepScheduler {
  /**
   * Starts the schedule. Separate from creation, because computing the next time loads a calendar, which delays a
   * start.
   */
  readonly begin: () => void;
  /** Runs every sweep once, now. Never throws: a failed sweep is reported and runs again at the next tick. */
  tick(): Promise<void>;
  /** When a tick last succeeded; null before the first. */
  readonly lastSuccessAt: () => Instant | null;
  /** Whether the tick that was due has succeeded, within {@link lateMaxMs}. */
  readonly isOnTime: () => boolean;
  /** Starts no more and waits for the current run. */
  stop(): Promise<void>;
}

/** Whether node-cron understands the expression. */
export function isCronExpression(text: string): boolean {
  return validate(text);
}

/** Runs the sweeps on a schedule, once {@link SweepScheduler.begin} was called. */
export function createSweepScheduler(
  expression: string,
  sweeps: readonly Sweep[],
  clock: Pick<Runtime, "now">,
  onFault: (fault: unknown, sweep: string) => void,
): SweepScheduler {
  let last: Instant | null = null;
  let nextBy: Instant | null = null;
  let running: Promise<void> | undefined;
  let task: ScheduledTask | undefined;
  let isStopped = false;

  const expectNext = (): void => {
    if (last === null) return;
    // node-cron uses the system clock, which may be behind ours, so only the remaining time is taken from it.
    const nextRun = task?.getNextRun()?.getTime();
    const waitMs = nextRun === undefined ? 0 : Math.max(0, nextRun - Date.now());
    nextBy = plus(nextRun === undefined ? last : clock.now(), waitMs + lateMaxMs);
  };

  const runAll = async (): Promise<void> => {
    let hasSucceeded = true;
    for (const sweep of sweeps) {
      try {
        await runWithTimeout(sweep);
      } catch (fault) {
        hasSucceeded = false;
        onFault(fault, sweep.name);
      }
    }
    if (!hasSucceeded) return;
    last = clock.now();
    expectNext();
  };

  const tick = async (): Promise<void> => {
    running ??= runAll().finally(() => {
      running = undefined;
    });
    await running;
  };

  return {
    begin() {
      if (isStopped) return;
      // UTC, because node-cron loops through the hour that daylight saving time skips.
      task ??= schedule(expression, tick, { timezone: "Etc/UTC", noOverlap: true });
      expectNext();
    },
    tick,
    lastSuccessAt: () => last,
    isOnTime: () => nextBy !== null && clock.now() <= nextBy,
    async stop() {
      isStopped = true;
      await task?.destroy();
      await running;
    },
  };
}

async function runWithTimeout(sweep: Sweep): Promise<void> {
  const signal = AbortSignal.timeout(sweepRunMaxMs);
  const timedOut = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error(`sweep ${sweep.name} took too long`)), {
      once: true,
    });
  });
  await Promise.race([sweep.run(signal), timedOut]);
}
