import { secondMs } from "../../core/values/time.ts";
import type { Connector, Connectors } from "../../service/ports/connector.ts";
import type { OrphanService } from "../../service/targets/orphan-service.ts";

/** How often every target is listed: at the start, and so that one that is back is listed within a minute. */
export const orphanSweepMs = 30 * secondMs;
/** A round at one target is given up after this; what is left of it is done in the next. */
export const orphanRunMaxMs = 50 * secondMs;

export interface OrphanSweep {
  /** Lists every target that is not being listed at this moment; ends when these rounds have. Never throws. */
  tick(): Promise<void>;
  /** Starts no more and gives up what is under way. */
  stop(): Promise<void>;
}

/**
 * Lists the targets, each on its own, so that one that hangs never stops the others, nor the timetable. Its interval is
 * its own too: listing costs the targets something.
 */
export function startOrphanSweep(
  connectors: Connectors,
  orphans: OrphanService,
  onFault: (fault: unknown, connector: string) => void,
  intervalMs = orphanSweepMs,
): OrphanSweep {
  const inFlight = new Map<string, Promise<void>>();
  const stopping = new AbortController();

  const round = async (connector: Connector): Promise<void> => {
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
      if (!inFlight.has(name)) inFlight.set(name, round(connector));
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

/** One that takes no notice of the signal is left alone, so that it cannot hold up a stop. */
async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal.reason);
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
