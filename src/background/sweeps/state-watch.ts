import type { ServiceAlert } from "../../core/effects/effects.ts";
import { secondMs } from "../../core/values/time.ts";
import type { Store } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { newEffect } from "../../service/decisions/build-step.ts";

/** How often it is checked whether time alone has ended access. */
const watchMs = secondMs;
/** How old the recorded time may become while nothing happens. */
const markAgeMaxMs = 10 * secondMs;

export interface StateWatch {
  begin(): Promise<void>;
  /** Records what must not be forgotten. Never throws: the next turn tries again. */
  tick(): Promise<void>;
  /** Records it a last time and ends. */
  stop(): Promise<void>;
}

export interface StateWatchDeps {
  readonly store: Pick<Store, "commit" | "clockMark" | "dueGrants">;
  readonly runtime: Runtime;
  /** Keeps the head of the audit log outside the database. */
  readonly rememberHead: () => Promise<void>;
  /** Sees to it that there is space for endings. */
  readonly keepReserve: () => Promise<void>;
  /** What administrators must be notified of at this moment. */
  readonly alerts: () => readonly ServiceAlert[];
  /** Called with the first of several faults in a row. */
  readonly onFault: (fault: unknown) => void;
}

/**
 * Keeps what a later start compares itself with: the recorded time close to the clock, also while no sweep runs and
 * nobody changes anything, and the head of the audit log. Every commit records its time, and the store under this writes
 * it; what has ended by the clock alone needs a commit to stay ended after a restart with an earlier clock.
 */
export function createStateWatch(deps: StateWatchDeps): StateWatch {
  const { store, runtime, rememberHead, keepReserve, alerts, onFault } = deps;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isFailing = false;
  const alerted = new Set<ServiceAlert["name"]>();

  const recordTime = async (isLast: boolean): Promise<void> => {
    const at = runtime.now();
    const age = at - ((await store.clockMark()) ?? 0);
    const hasEnded = age > 0 && (await store.dueGrants(at, 1)).length > 0;
    if (isLast || hasEnded || age >= markAgeMaxMs) await store.commit(recordOnly([]));
  };
  const alertAdmins = async (): Promise<void> => {
    const context = { now: runtime.now(), runtime };
    const fresh = alerts().filter(({ name }) => !alerted.has(name));
    if (fresh.length === 0) return;
    const effects = fresh.map((alert) => newEffect({ kind: "alert_admins", alert }, context));
    await store.commit({ ...recordOnly([]), effects });
    for (const { name } of fresh) alerted.add(name);
  };
  /** One part that fails keeps no other from its turn. */
  const runAll = async (isLast: boolean): Promise<void> => {
    const faults: unknown[] = [];
    for (const part of [keepReserve, () => recordTime(isLast), rememberHead, alertAdmins]) {
      await part().catch((fault: unknown) => faults.push(fault));
    }
    const isFirst = faults.length > 0 && !isFailing;
    isFailing = faults.length > 0;
    if (isFirst) onFault(faults[0]);
  };
  const tick = (isLast = false): Promise<void> => {
    running = running.then(() => runAll(isLast));
    return running;
  };
  return {
    async begin() {
      timer ??= setInterval(() => void tick(), watchMs);
      await tick();
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
