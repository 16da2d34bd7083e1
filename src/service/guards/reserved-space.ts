import { accessChanges } from "../../core/audit/access-changes.ts";
import { secondMs } from "../../core/values/time.ts";
import { givesAccess } from "./access-hold.ts";
import { DiskFull, StoreUnavailable, type Step, type Store, type Write } from "../ports/store.ts";

/** Disk space that is reserved for recording that access ends. */
export interface ReservedSpace {
  /** Whether it was released or could not be allocated. */
  readonly isMissing: () => boolean;
  readonly release: () => void;
  /** Allocates it where it is missing and there is space. */
  readonly keep: () => void;
}

/** How often allocating it again is tried. */
const retryMs = secondMs;

/**
 * The same store, which releases the reserve when the disk is full and a step ends or denies access. While the reserve
 * is missing, only such steps and the relay's writes about earlier effects are written. Everything else fails until the
 * reserve exists again.
 *
 * @param monotonicMs Time that never goes back.
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
        if (isMissing())
          throw new StoreUnavailable(
            "the disk is full, and the remaining space is reserved for ending access",
          );
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

/** Whether the step may release the reserve. */
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
  // Administrators are notified that the disk is full.
  return step.writes.some(isOfRelay) || step.effects.some(({ effect }) => effect.kind === "alert_admins");
}

function isOfRelay({ kind }: Write): boolean {
  return (
    kind === "effectLeased" || kind === "effectSettled" || kind === "effectReleased" || kind === "leasesEnded"
  );
}
