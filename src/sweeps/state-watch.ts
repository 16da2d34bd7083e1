import { secondMs } from "../core/time.ts";
import type { Instant } from "../core/ids.ts";
import type { Store } from "../service/ports.ts";
import { recordOnly } from "../service/step.ts";

/** How often it is checked whether time alone has ended access. */
const watchMs = secondMs;
/** How old the recorded time may become while nothing happens. */
export const markAgeMaxMs = 10 * secondMs;

export interface StateWatch {
  begin(): void;
  /** Records what must not be forgotten. Never throws: the next turn tries again. */
  tick(): Promise<void>;
  /** Records it a last time and ends. */
  stop(): Promise<void>;
}

/**
 * Keeps the recorded time close to the clock, also while no sweep runs and nobody changes anything. Every commit records
 * its time, and the store under this writes it; what has ended by the clock alone needs a commit to stay ended after a
 * restart with an earlier clock.
 */
export function createStateWatch(
  store: Pick<Store, "commit" | "clockMark" | "dueGrants">,
  now: () => Instant,
  onFault: (fault: unknown) => void,
): StateWatch {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();

  const record = async (isLast: boolean): Promise<void> => {
    const at = now();
    const age = at - ((await store.clockMark()) ?? 0);
    const hasEnded = age > 0 && (await store.dueGrants(at, 1)).length > 0;
    if (isLast || hasEnded || age >= markAgeMaxMs) await store.commit(recordOnly([]));
  };
  const tick = (isLast = false): Promise<void> => {
    running = running.then(() => record(isLast)).catch(onFault);
    return running;
  };
  return {
    begin: () => {
      timer ??= setInterval(() => void tick(), watchMs);
    },
    tick: () => tick(),
    async stop() {
      // A start that was refused leaves the database as it was.
      if (timer === undefined) return;
      clearInterval(timer);
      await tick(true);
    },
  };
}
