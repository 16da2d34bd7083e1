import type { AccessRequest } from "./access-request.ts";
import { assert } from "../values/assert.ts";
import { onRequest, systemActor } from "./access-case.ts";
import type { Recorded } from "./events.ts";
import type { Instant } from "../values/ids.ts";

/** Whether the request is pending and is known to be unable to reach its quorum. */
export function isStranded({ phase, stranded }: Pick<AccessRequest, "phase" | "stranded">): boolean {
  return phase === "PENDING" && stranded?.until === null;
}

/** The open request that makes a new one a duplicate; undefined when there is none. Stranded ones do not count. */
export function duplicateAmong(siblings: readonly AccessRequest[]): AccessRequest | undefined {
  return siblings.find((sibling) => !isStranded(sibling));
}

/** Ends the other requests for the same access when one is approved. Nobody gets the same access twice. */
export function endSiblings(
  siblings: readonly AccessRequest[],
  approved: Pick<AccessRequest, "id">,
  now: Instant,
): readonly Recorded[] {
  const by = systemActor;
  return siblings.flatMap((sibling) => {
    assert(sibling.phase === "PENDING", "siblings of an approved request must be PENDING");
    return onRequest(sibling, [
      now >= sibling.approvalDeadline
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
