import type { Effect } from "../../../core/effects/effects.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { secondMs } from "../../../core/values/time.ts";
import { reachOf } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Copy } from "../../../service/ports/store.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { Runner } from "../runner.ts";
import { told } from "./update-card.ts";

/** By this time after people were asked, it is usually known who could be reached. */
export const lookAgainMs = 15 * secondMs;

/**
 * Tells the requester how many of the people they wait for have been told: their card says so some seconds after asking,
 * and an approver who turns out to be reachable nowhere is news.
 */
export function createLookingAgain(context: ServiceContext): Runner<"look_again"> {
  const { store, surroundings, surfaces } = context;
  return {
    async run({ requestId, lost }) {
      const copies = await store.copies([requestId]);
      const now = surroundings.now();
      const failed = lost === null ? [] : lostOf(copies, lost);
      const effects: readonly Effect[] =
        lost !== null && failed.length > 0
          ? [{ kind: "announce", requestId, news: [{ notice: "unreached", people: [lost] }] }]
          : copies.flatMap(({ notice, surface, address, audience, readerId }): readonly Effect[] =>
              notice === null &&
              audience === "requester" &&
              surface !== "nowhere" &&
              surfaces.get(surface)?.keepsCards === true
                ? [{ kind: "show", requestId, surface, address, audience, readerId }]
                : [],
            );
      return {
        // Said once: from now on they count as out of reach.
        writes: failed.map((copy) => told(context, copy, "UNREACHABLE", null, copy.fault)),
        effects: effects.map((effect) => newEffect(effect, { now, surroundings })),
      };
    },
  };
}

/** The copies that were given up of somebody who now has none that was delivered or still may be. */
function lostOf(copies: readonly Copy[], reader: IdentityId): readonly Copy[] {
  if (reachOf(copies)?.unreached.includes(reader) !== true) return [];
  return copies.filter(
    (one) =>
      one.notice === null && one.readerId === reader && one.audience === "approver" && one.state === "FAILED",
  );
}
