import { secondMs } from "../../core/values/time.ts";
import type { Connector, Connectors } from "../../service/ports/connector.ts";
import type { OrphanService } from "../../service/targets/orphan-service.ts";

/** How often every target is listed. A target that is back is listed within a minute. */
export const orphanSweepMs = 30 * secondMs;
/** Time limit of one run at one target. The next run handles the rest. */
export const orphanRunMaxMs = 50 * secondMs;

export interface OrphanSweep {
  /** Lists every target that is not being listed at the moment, and waits for these runs. Never throws. */
  tick(): Promise<void>;
  /** Starts no more and aborts the running listings. */
  stop(): Promise<void>;
}

/**
 * Lists each target independently, so that a hanging target stops neither the others nor the scheduler. It has an
 * interval of its own, because a listing puts load on the targets.
 */
export function startOrphanSweep(
  connectors: Connectors,
  orphans: OrphanService,
  onFault: (fault: unknown, connector: string) => void,
  intervalMs = orphanSweepMs,
): OrphanSweep {
  const inFlight = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  const runAt = async (connector: Connector): Promise<void> => {
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(orphanRunMaxMs)]);
    try {
      await untilAborted(orphans.sweep(connector, signal), signal);
    } catch (fault) {
      if (!stopping.signal.aborted) onFault(fault, connector.name);
    } finally {
      inFlight.delete(connector.name);
    }
  };

  const tick = async (): Promise<void> => {
    for (const [name, connector] of connectors()) {
      if (stopping.signal.aborted) return;
      if (!inFlight.has(name)) inFlight.set(name, runAt(connector));
    }
    await Promise.all(inFlight.values());
  };

  const timer = setInterval(() => void tick(), intervalMs);
  return {
    tick,
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await Promise.all(inFlight.values());
    },
  };
}

/** Abandons work that ignores the signal, so that it cannot delay a shutdown. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
