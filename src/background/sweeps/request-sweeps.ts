import { setImmediate as nextTurn } from "node:timers/promises";
import type { GrantService } from "../../service/grants/grant-service.ts";
import type { Reads } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";

/** Read at once, and out of the way before the next are read. */
export const sweepBatchMax = 50;
/** Decided in one turn of the event loop: in between those who ask something get theirs. */
const decidedPerTurn = 10;

export interface Sweep {
  readonly name: string;
  run(signal: AbortSignal): Promise<void>;
}

type Ticking = Pick<GrantService, "tick">;
type Due = Pick<Reads, "dueRequests" | "dueGrants">;

/** Deadlines, reminders, escalations and overdue reviews. */
export function createRequestSweep(store: Due, grants: Ticking, clock: Pick<Runtime, "now">): Sweep {
  return {
    name: "requests",
    run: (signal) => tickAll(() => store.dueRequests(clock.now(), sweepBatchMax), grants, signal),
  };
}

/** Access whose time is over. It was unusable from that moment on; here it is written down and tidied. */
export function createExpirySweep(store: Due, grants: Ticking, clock: Pick<Runtime, "now">): Sweep {
  return {
    name: "expiry",
    run: (signal) => tickAll(() => store.dueGrants(clock.now(), sweepBatchMax), grants, signal),
  };
}

/** Works through what is due, batch by batch; a batch in which nothing moves ends the run, the next tick tries again. */
async function tickAll(
  due: () => Promise<readonly string[]>,
  grants: Ticking,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const ids = await due();
    if (ids.length === 0 || signal.aborted) return;
    const moved = await Promise.all(
      ids.map(async (id, place) => {
        for (let turn = 1; turn <= place / decidedPerTurn; turn++) await nextTurn();
        return grants.tick(id);
      }),
    );
    if (!moved.includes(true)) return;
  }
}
