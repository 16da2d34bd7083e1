import { schedule, validate, type ScheduledTask } from "node-cron";
import type { Instant } from "../../core/values/ids.ts";
import { minuteMs, plus } from "../../core/values/time.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import type { Sweep } from "./request-sweeps.ts";

/** A run that hangs is abandoned after this, so that it cannot stop all later ones. */
export const sweepRunMaxMs = 30_000;

/** How much later than planned a tick may go through. */
const lateMs = minuteMs;

export interface SweepScheduler {
  /** Ticks by the clock from now on. Working out the next time loads a calendar: nobody has to wait for that at a start. */
  readonly begin: () => void;
  /** Runs every sweep once, now. Never throws: a sweep that fails is reported and tried again at the next tick. */
  tick(): Promise<void>;
  /** When a tick last went through without a fault; null before the first. */
  readonly lastSuccessAt: () => Instant | null;
  /** Whether the tick that was due has gone through, give or take {@link lateMs}. */
  readonly isOnTime: () => boolean;
  /** Starts no more and waits for the run under way. */
  stop(): Promise<void>;
}

/** Whether node-cron understands the expression. */
export function isCronExpression(text: string): boolean {
  return validate(text);
}

/** Ticks everything that becomes due by time alone, beside the serving API. It has to be begun. */
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
    // node-cron plans by the system clock, which may stand behind ours: only the time until then is taken from it.
    const nextRun = task?.getNextRun()?.getTime();
    const waitMs = nextRun === undefined ? 0 : Math.max(0, nextRun - Date.now());
    nextBy = plus(nextRun === undefined ? last : clock.now(), waitMs + lateMs);
  };

  const runAll = async (): Promise<void> => {
    let isGood = true;
    for (const sweep of sweeps) {
      try {
        await withinTime(sweep);
      } catch (fault) {
        isGood = false;
        onFault(fault, sweep.name);
      }
    }
    if (!isGood) return;
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
      // UTC, because node-cron has spun through the hour that summer time skips.
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

async function withinTime(sweep: Sweep): Promise<void> {
  const signal = AbortSignal.timeout(sweepRunMaxMs);
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error(`sweep ${sweep.name} took too long`)), {
      once: true,
    });
  });
  await Promise.race([sweep.run(signal), late]);
}
