import type { AccessRequest } from "./access-request.ts";
import { assert } from "../values/assert.ts";
import { onRequest, systemActor } from "./access-case.ts";
import type { Recorded } from "./events.ts";
import type { Instant } from "../values/ids.ts";

/** Whether it waits and can no longer reach its quorum, as far as has been noticed. */
export function isStranded({ phase, stranded }: Pick<AccessRequest, "phase" | "stranded">): boolean {
  return phase === "PENDING" && stranded?.until === null;
}

/** Another open request for the same access that keeps it from being asked once more; undefined: none does. */
export function duplicateAmong(siblings: readonly AccessRequest[]): AccessRequest | undefined {
  return siblings.find((one) => !isStranded(one));
}

/** The others for the same access end with the approval of one: nobody is given the same access twice. */
export function siblingsEnded(
  siblings: readonly AccessRequest[],
  approved: Pick<AccessRequest, "id">,
  now: Instant,
): readonly Recorded[] {
  const by = systemActor;
  return siblings.flatMap((one) => {
    assert(one.phase === "PENDING", "of two for the same access one is approved");
    return onRequest(one, [
      now >= one.approvalDeadline
        ? { type: "RequestTimedOut", at: now, by, waitedFor: "approval" }
        : {
            type: "RequestCancelled",
            at: now,
            by,
            reason: `the same access was approved in ${approved.id}`,
          },
    ]);
  });
}
