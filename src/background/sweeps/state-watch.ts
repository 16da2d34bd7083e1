import type { ServiceAlert } from "../../core/effects/effects.ts";
import { secondMs } from "../../core/values/time.ts";
import type { Store } from "../../service/ports/store.ts";
import type { Runtime } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { newEffect } from "../../service/decisions/build-step.ts";

/** How often we check whether access has expired. */
const watchMs = secondMs;
/** The maximum age of the recorded time while nothing is committed. */
const markAgeMaxMs = 10 * secondMs;

export interface StateWatch {
  begin(): Promise<void>;
  /** Records the state that a later start compares with. Never throws: the next tick tries again. */
  tick(): Promise<void>;
  /** Records it a last time and stops. */
  stop(): Promise<void>;
}

export interface StateWatchDeps {
  readonly store: Pick<Store, "commit" | "clockMark" | "dueGrants">;
  readonly runtime: Runtime;
  /** Stores the head of the audit log outside the database. */
  readonly rememberHead: () => Promise<void>;
  /** Reserves disk space for ending access. */
  readonly keepReserve: () => Promise<void>;
  /** The alerts that apply at the moment. */
  readonly alerts: () => readonly ServiceAlert[];
  /** Called with the first of several faults in a row. */
  readonly onFault: (fault: unknown) => void;
}

/**
 * Records what a later start is compared with: a time close to the clock, even while nothing changes, and the head of
 * the audit log. Every commit records its time. Access that expired needs a commit too, so that it stays expired after
 * a restart with an earlier clock.
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
  /** Runs every part, even when another part fails. */
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
      // A refused start leaves the database unchanged.
      if (timer === undefined) return;
      clearInterval(timer);
      await tick(true);
    },
  };
}
