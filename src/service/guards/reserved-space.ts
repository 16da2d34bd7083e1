import { accessChanges } from "../../core/audit/access-changes.ts";
import { secondMs } from "../../core/values/time.ts";
import { givesAccess } from "./access-hold.ts";
import { DiskFull, StoreUnavailable, type Step, type Store, type Write } from "../ports/store.ts";

/** Space that is kept for writing that access ends, as the store sees it. */
export interface ReservedSpace {
  /** Whether it was given up, or could not be made. */
  readonly isMissing: () => boolean;
  readonly release: () => void;
  /** Makes it where it is not there and there is room. */
  readonly keep: () => void;
}

/** How often it is tried to make it anew. */
const retryMs = secondMs;

/**
 * The same store, which gives the reserve up when the disk is full and a step ends access or says no. While the reserve is
 * missing only such steps are written, and what the relay writes about effects that were decided before; everything else
 * waits until it was made anew.
 *
 * @param monotonicMs time that never goes back.
 */
export function withReservedSpace(store: Store, reserve: ReservedSpace, monotonicMs: () => number): Store {
  let triedAt = -retryMs;
  const isMissing = (): boolean => {
    if (reserve.isMissing() && monotonicMs() - triedAt >= retryMs) {
      triedAt = monotonicMs();
      reserve.keep();
    }
    return reserve.isMissing();
  };
  return {
    ...store,
    async commit(step) {
      if (!mayUseReserve(step)) {
        if (isMissing()) throw new StoreUnavailable("the disk is full, and what is left is kept for endings");
        return store.commit(step);
      }
      try {
        return await store.commit(step);
      } catch (fault) {
        if (!(fault instanceof DiskFull) || !endsAccess(step)) throw fault;
        reserve.release();
        return store.commit(step);
      }
    },
  };
}

type Content = Pick<Step, "audit" | "writes" | "effects">;

/** Whether it is worth the reserve. */
function endsAccess({ audit, writes }: Content): boolean {
  return (
    !givesAccess({ audit }) &&
    (audit.some(({ action }) => accessChanges[action] === "ends") ||
      writes.some((write) => "ends" in write && write.ends))
  );
}

/** Whether it is written while the reserve is missing. */
function mayUseReserve(step: Content): boolean {
  if (endsAccess(step)) return true;
  if (givesAccess(step)) return false;
  // That the disk is full is told to administrators.
  return step.writes.some(isOfRelay) || step.effects.some(({ effect }) => effect.kind === "alert_admins");
}

function isOfRelay({ kind }: Write): boolean {
  return (
    kind === "effectLeased" || kind === "effectSettled" || kind === "effectReleased" || kind === "leasesEnded"
  );
}
