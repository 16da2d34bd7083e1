import type { Effect } from "../../../core/effects/effects.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Runner } from "../runner.ts";

/** Announces that access ends soon, unless it has ended or was extended since this was planned. */
export function createEndingAnnouncer({ store, runtime }: ServiceContext): Runner<"announce_ending"> {
  return {
    async run({ requestId, grantId, expiresAt }) {
      const grant = (await store.request(requestId))?.grant?.value;
      const now = runtime.now();
      const isStillDue =
        grant?.id === grantId && grant.phase === "ACTIVE" && grant.expiresAt === expiresAt && now < expiresAt;
      if (!isStillDue) return undefined;
      const notices = [{ notice: "ending_soon", people: [] }] as const;
      const announce: Effect = { kind: "announce", requestId, notices };
      return { effects: [newEffect(announce, { now, runtime })] };
    },
  };
}
