import { setImmediate as nextTick } from "node:timers/promises";
import type { GrantService } from "../../service/grants/grant-service.ts";
import type { Reads } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";

/** How many are read at a time; the next are read when these are done. */
export const sweepBatchMax = 50;
/** How many are decided per tick of the event loop, so that callers are answered in between. */
const decidedPerTick = 10;

export interface Sweep {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

type TickingGrants = Pick<GrantService, "tick">;
type DueReads = Pick<Reads, "dueRequests" | "dueGrants">;

/** Deadlines, reminders, escalations and overdue reviews. */
export function createRequestSweep(
  store: DueReads,
  grants: TickingGrants,
  clock: Pick<Runtime, "now">,
): Sweep {
  return {
    name: "requests",
    run: (signal) => tickAll(() => store.dueRequests(clock.now(), sweepBatchMax), grants, signal),
  };
}

/** Access that has expired. It was unusable from that moment on; the sweep records it and cleans up. */
export function createExpirySweep(
  store: DueReads,
  grants: TickingGrants,
  clock: Pick<Runtime, "now">,
): Sweep {
  return {
    name: "expiry",
    run: (signal) => tickAll(() => store.dueGrants(clock.now(), sweepBatchMax), grants, signal),
  };
}

/** Handles what is due, batch by batch. A batch that changes nothing ends the run; the next run tries again. */
async function tickAll(
  due: () => Promise<readonly string[]>,
  grants: TickingGrants,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const ids = await due();
    if (ids.length === 0 || signal.aborted) return;
    const changed = await Promise.all(
      ids.map(async (id, index) => {
        for (let tick = 1; tick <= index / decidedPerTick; tick++) await nextTick();
        return grants.tick(id);
      }),
    );
    if (!changed.includes(true)) return;
  }
}
