import type { Actor } from "../../core/access/access-request.ts";
import type { Instant, RequestId } from "../../core/values/ids.ts";
import { minuteMs, secondMs } from "../../core/values/time.ts";
import type { PresentedCredential, Step, Store } from "../ports/store.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/**
 * Break-glass uses recorded singly per minute; further ones are counted once a second
 * (docs/audit.md#records-that-are-counted).
 */
export const usesPerMinuteMax = 60;

interface MinuteBucket {
  readonly startedAt: Instant;
  readonly presented: PresentedCredential;
  readonly actor: Actor;
  recorded: number;
  uncounted: number;
  countedAt: Instant;
}

export interface CredentialUseLog {
  /** Whether this use is recorded. Most checks are of credentials that were used before. */
  mustRecord(presented: PresentedCredential): boolean;
  /** Records the use of a live credential: every use for break-glass, the first for others. */
  record(presented: PresentedCredential, actor: Actor, now: Instant): Promise<void>;
  /** Writes counts that are not written yet. */
  flush(now: Instant): Promise<void>;
}

export function createCredentialUseLog(store: Store): CredentialUseLog {
  const minutes = new Map<RequestId, MinuteBucket>();
  /** Credentials whose first use is being written now. */
  const writing = new Set<string>();

  const flushOne = async (minute: MinuteBucket, now: Instant): Promise<void> => {
    const count = minute.uncounted;
    if (count === 0) return;
    minute.uncounted = 0;
    minute.countedAt = now;
    await store.commit(used(minute.presented, minute.actor, now, count));
  };

  const recordBreakGlass = async (
    presented: PresentedCredential,
    actor: Actor,
    now: Instant,
  ): Promise<void> => {
    const { requestId: id } = presented.grant;
    const known = minutes.get(id);
    const isOver = known === undefined || now - known.startedAt >= minuteMs;
    const minute = isOver
      ? { startedAt: now, presented, actor, recorded: 0, uncounted: 0, countedAt: now }
      : known;
    // Create the bucket before the first await, so that only one of many concurrent checks starts it.
    minutes.set(id, minute);
    if (isOver && known !== undefined) await flushOne(known, now);
    if (minute.recorded < usesPerMinuteMax) {
      minute.recorded++;
      await store.commit(used(presented, actor, now, 1));
      return;
    }
    minute.uncounted++;
    if (now - minute.countedAt >= secondMs) await flushOne(minute, now);
  };

  const recordFirst = async (presented: PresentedCredential, actor: Actor, now: Instant): Promise<void> => {
    const { credentialId: id } = presented;
    if (presented.firstUsedAt !== null || writing.has(id)) return;
    writing.add(id);
    try {
      await store.commit({
        ...used(presented, actor, now, 1),
        writes: [{ kind: "credentialFirstUsed", id, at: now }],
      });
    } finally {
      writing.delete(id);
    }
  };

  return {
    mustRecord: ({ grant, firstUsedAt }) => grant.breakGlass || firstUsedAt === null,
    record: (presented, actor, now) =>
      presented.grant.breakGlass
        ? recordBreakGlass(presented, actor, now)
        : recordFirst(presented, actor, now),
    async flush(now) {
      for (const [id, minute] of minutes) {
        await flushOne(minute, now);
        if (now - minute.startedAt >= minuteMs) minutes.delete(id);
      }
    },
  };
}

function used(presented: PresentedCredential, actor: Actor, now: Instant, count: number): Step {
  const { grant, credentialId, last4 } = presented;
  return recordOnly([
    {
      at: now,
      action: "credential.used",
      actor,
      request: grant.requestId,
      identity: grant.subjectId,
      data: { credential: credentialId, last4, breakGlass: grant.breakGlass, count },
    },
  ]);
}
