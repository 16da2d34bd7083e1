import type { Instant } from "../core/ids.ts";
import { formatDuration } from "../core/time.ts";
import type { Reads, Surroundings } from "../service/ports.ts";
import type { TakeBacks } from "../service/target-reads.ts";

export interface SweepState {
  readonly lastGoodAt: () => Instant | null;
  readonly isOnTime: () => boolean;
}

type Checks = Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;

/** Each part with its state, for /readyz: asked at every probe, and failing when the database cannot be read. */
export function readinessOf(
  store: Pick<Reads, "auditHead" | "outbox" | "takeBacks">,
  clock: Pick<Surroundings, "now">,
  sweeps: SweepState,
): () => Promise<Checks> {
  return async () => {
    const now = clock.now();
    const head = await store.auditHead();
    const { waiting, oldestDueAt } = await store.outbox(now);
    const swept = sweeps.lastGoodAt();
    const age = oldestDueAt === null ? "" : `, the oldest for ${formatDuration(now - oldestDueAt)}`;
    return {
      database: { ok: true, detail: "readable" },
      sweep: {
        ok: sweeps.isOnTime(),
        detail: swept === null ? "has not run yet" : `ran ${formatDuration(now - swept)} ago`,
      },
      audit: { ok: true, detail: `head ${head.seq}` },
      outbox: { ok: true, detail: `${waiting} waiting${age}` },
      // Not a reason to take us out of service: nobody else would take it back.
      targets: { ok: true, detail: takeBacksText(await store.takeBacks(), now) },
    };
  };
}

function takeBacksText({ waiting, overdue, oldestOverdueSince }: TakeBacks, now: Instant): string {
  const late =
    oldestOverdueSince === null
      ? "none overdue"
      : `${overdue} overdue, the oldest for ${formatDuration(now - oldestOverdueSince)}`;
  return `${waiting} to be taken back, ${late}`;
}
