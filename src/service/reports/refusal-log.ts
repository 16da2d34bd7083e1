import type { Actor } from "../../core/access/access-request.ts";
import type { AuditEntry } from "../../core/audit/audit-record.ts";
import type { IdentityId, Instant, RequestId } from "../../core/values/ids.ts";
import { maskTokens } from "../../core/values/mask-tokens.ts";
import type { Refusal } from "../../core/values/refusals.ts";
import { minuteMs } from "../../core/values/time.ts";
import type { Store } from "../ports/store.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";

/** Refusals recorded singly per actor and minute; further ones are counted (docs/audit.md#records-that-are-counted). */
export const refusalsPerMinuteMax = 10;

export interface RefusalAbout {
  readonly action: "request.refused" | "decision.refused" | "audit.read_refused";
  readonly verb: string;
  readonly request?: RequestId;
  readonly identity?: IdentityId;
}

interface MinuteBucket {
  readonly startedAt: Instant;
  readonly actor: Actor;
  /** The action that further ones are counted as. */
  readonly action: "decision.refused" | "audit.read_refused";
  recorded: number;
  uncounted: number;
}

export interface RefusalLog {
  /** Records a refusal. @throws StoreUnavailable when it cannot be written; the refusal itself is still valid. */
  record(actor: Actor, about: RefusalAbout, refusal: Refusal, now: Instant): Promise<void>;
  /** Writes the counts of past minutes, or all of them when the service stops. */
  flush(now: Instant, all?: boolean): Promise<void>;
}

export function createRefusalLog(store: Store): RefusalLog {
  const minutes = new Map<string, MinuteBucket>();

  const write = async (entry: AuditEntry): Promise<void> => {
    await store.commit(recordOnly([entry]));
  };

  const flushOne = async (key: string, minute: MinuteBucket, now: Instant): Promise<void> => {
    minutes.delete(key);
    if (minute.uncounted === 0) return;
    await write({
      at: now,
      action: minute.action,
      actor: minute.actor,
      data: { count: minute.uncounted, code: "further_refusals" },
    });
  };

  const isOver = (minute: MinuteBucket, now: Instant): boolean => now - minute.startedAt >= minuteMs;

  return {
    async record(actor, about, refusal, now) {
      const counted = about.action === "audit.read_refused" ? about.action : "decision.refused";
      const key = `${counted} ${actor.id}`;
      const known = minutes.get(key);
      if (known !== undefined && isOver(known, now)) await flushOne(key, known, now);
      const fresh = { startedAt: now, actor, action: counted, recorded: 0, uncounted: 0 } as const;
      const minute: MinuteBucket = minutes.get(key) ?? fresh;
      minutes.set(key, minute);
      if (minute.recorded >= refusalsPerMinuteMax) {
        minute.uncounted++;
        return;
      }
      minute.recorded++;
      const { action, verb, request, identity } = about;
      await write({
        at: now,
        action,
        actor,
        ...(request !== undefined && { request }),
        ...(identity !== undefined && { identity }),
        data: { verb, code: refusal.refused, detail: maskTokens(refusal.detail).text },
      });
    },
    async flush(now, all = false) {
      for (const [key, minute] of minutes) {
        if (all || isOver(minute, now)) await flushOne(key, minute, now);
      }
    },
  };
}
