import type { Runtime } from "../../service/ports/runtime.ts";
import type { TargetNamed, TargetReads } from "../../service/ports/target-reads.ts";
import { overdueSince, type TargetService } from "../../service/targets/target-service.ts";
import { sweepBatchMax, type Sweep } from "./request-sweeps.ts";

/** Records, and raises an alert, that ended access is still not confirmed gone at its target. */
export function createOverdueSweep(
  store: Pick<TargetReads, "becomingOverdue">,
  targets: Pick<TargetService, "noteOverdue">,
  clock: Pick<Runtime, "now">,
  alert: (overdue: TargetNamed) => void,
): Sweep {
  return {
    name: "overdue take-backs",
    async run(signal) {
      for (;;) {
        const overdue = await store.becomingOverdue(overdueSince(clock.now()), sweepBatchMax);
        if (overdue.length === 0 || signal.aborted) return;
        const noted = await Promise.all(overdue.map((target) => targets.noteOverdue(target)));
        for (const [index, target] of overdue.entries()) if (noted[index] === true) alert(target);
        if (!noted.includes(true)) return;
      }
    },
  };
}
