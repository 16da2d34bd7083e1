import { groupOf } from "../../core/effects/ordering-keys.ts";
import type { Instant } from "../../core/values/ids.ts";
import { plus } from "../../core/values/time.ts";
import type { DueEffect, Store, Write } from "../../service/ports/store.ts";
import type { Surroundings } from "../../service/ports/runtime.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { createAttempt, endsOf, leaseMs, type OnFault } from "./attempt-effect.ts";
import { createGate, type WayFound } from "./circuit-breaker.ts";
import type { Runners } from "./runner.ts";

/** How many effects are read and claimed in one go. */
export const relayBatchMax = 100;

/** Sends out what is due, as far as there is room. */
export interface Sender {
  /** Answers when everything there was room for is under way. Calls while one is at it join it and look once more. */
  sendOut(): Promise<void>;
  readonly underWay: ReadonlySet<Promise<void>>;
  onReturn(hear: () => void): void;
  /** Begins nothing more, and answers when what is under way has come back. */
  stop(): Promise<void>;
}

export function createSender(
  store: Store,
  surroundings: Pick<Surroundings, "now">,
  runners: Runners,
  onFault: OnFault,
  chance: () => number,
): Sender {
  const { now } = surroundings;
  const gate = createGate(now);
  const cameBack = ({ effect }: DueEffect, found: WayFound): Instant | undefined =>
    gate.leave(groupOf(effect), found);
  const attempt = createAttempt(store, surroundings, runners, onFault, { chance, cameBack });
  const underWay = new Set<Promise<void>>();
  let returned: (() => void) | undefined;
  let sending: Promise<void> | undefined;
  let isAskedAgain = false;
  let isStopped = false;

  const start = (due: DueEffect): void => {
    const going: Promise<void> = attempt(due)
      .catch((fault: unknown) => onFault(fault, { effect: due.id, attempts: due.attempts }))
      .finally(() => {
        underWay.delete(going);
        returned?.();
      });
    underWay.add(going);
  };

  /** One batch; false: there is nothing due, or no room for it. */
  const sendBatch = async (): Promise<boolean> => {
    const due = isStopped ? [] : await store.dueEffects(now(), relayBatchMax, gate.closed());
    const admitted = due.filter(({ effect }) => gate.enter(groupOf(effect)));
    if (admitted.length === 0) return false;
    let claimed: readonly DueEffect[] = [];
    try {
      claimed = await claim(store, admitted, plus(now(), leaseMs));
    } finally {
      for (const one of admitted) if (!claimed.includes(one)) cameBack(one, "untried");
    }
    for (const one of claimed) start(one);
    return due.length === relayBatchMax;
  };

  const sendAll = async (): Promise<void> => {
    do {
      isAskedAgain = false;
      while (await sendBatch());
    } while (isAskedAgain);
  };

  return {
    underWay,
    sendOut() {
      isAskedAgain = true;
      sending ??= sendAll().finally(() => {
        sending = undefined;
      });
      return sending;
    },
    onReturn: (hear) => {
      returned = hear;
    },
    stop: async () => {
      isStopped = true;
      try {
        await sending;
      } finally {
        // What that has claimed is begun, and waited for too.
        await Promise.all(underWay);
      }
    },
  };
}

/** Claims all in one step; should somebody else have taken one meanwhile, each by itself. What is ours comes back. */
async function claim(store: Store, due: readonly DueEffect[], until: Instant): Promise<readonly DueEffect[]> {
  const writes = due.map(({ id, lease, effect }): Write => ({
    kind: "effectLeased",
    id,
    lease,
    until,
    ...endsOf(effect),
  }));
  if ("ok" in (await store.commit({ ...recordOnly([]), writes }))) return due;
  return due.length === 1 ? [] : (await Promise.all(due.map((one) => claim(store, [one], until)))).flat();
}
