import type { Logger } from "pino";
import { startApproverReviewSweep } from "../background/sweeps/approver-review-sweep.ts";
import { startOrphanSweep } from "../background/sweeps/orphan-sweep.ts";
import type { Application } from "./application.ts";

/** Sweeps on intervals of their own, because they wait for other systems, which may be slow. */
export interface IntervalSweeps {
  tick(): Promise<void>;
  stop(): Promise<void>;
}

export function startIntervalSweeps({ services, context }: Application, log: Logger): IntervalSweeps {
  const sweeps = [
    startOrphanSweep(context.connectors, services.orphans, (err, connector) =>
      log.error({ err, connector }, "target listing failed"),
    ),
    startApproverReviewSweep(services.approverReviews, (err) =>
      log.error({ err }, "pending requests not reviewed"),
    ),
  ];
  return {
    tick: async () => void (await Promise.all(sweeps.map((sweep) => sweep.tick()))),
    stop: async () => void (await Promise.all(sweeps.map((sweep) => sweep.stop()))),
  };
}
