import type { Runtime } from "../../service/ports/runtime.ts";
import type { TargetNamed, TargetReads } from "../../service/ports/target-reads.ts";
import { overdueSince, type TargetService } from "../../service/targets/target-service.ts";
import { sweepBatchMax, type Sweep } from "./request-sweeps.ts";

/** Puts on record, and has somebody alerted, that access which is over is still not confirmed gone at its target. */
export function createOverdueSweep(
  store: Pick<TargetReads, "becomingOverdue">,
  targets: Pick<TargetService, "noteOverdue">,
  clock: Pick<Runtime, "now">,
  alert: (late: TargetNamed) => void,
): Sweep {
  return {
    name: "overdue take-backs",
    async run(signal) {
      for (;;) {
        const late = await store.becomingOverdue(overdueSince(clock.now()), sweepBatchMax);
        if (late.length === 0 || signal.aborted) return;
        const noted = await Promise.all(late.map((one) => targets.noteOverdue(one)));
        for (const [index, one] of late.entries()) if (noted[index] === true) alert(one);
        if (!noted.includes(true)) return;
      }
    },
  };
}
