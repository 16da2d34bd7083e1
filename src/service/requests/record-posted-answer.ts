import type { AccessRequest } from "../../core/access/access-request.ts";
import type { Audience } from "../../core/effects/notices.ts";
import type { Caller } from "../ports/caller.ts";
import type { PostedAnswer } from "./card-source.ts";
import { noteDeliveryId } from "../views/delivery-status.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { Delivery } from "../ports/store.ts";
import { recordOnly } from "../decisions/decide-and-commit.ts";
import { newEffect } from "../decisions/build-step.ts";

/** Length of the hash that identifies a message in its delivery id, so that it is recorded once. */
const refHashLength = 18;

/**
 * Records a message with buttons that a person asked for, so that it is kept up to date like every card. Changes since
 * it was posted are shown at once. A form is left as it is until the request changes.
 */
export async function recordAnswer(
  { store, runtime }: ServiceContext,
  { id: requestId }: AccessRequest,
  audience: Audience,
  caller: Caller,
  { surface, address, ref, isForm }: PostedAnswer,
): Promise<void> {
  const now = runtime.now();
  const to = { surface, address, readerId: caller.identity.id };
  const id = noteDeliveryId(
    { ...to, requestId, audience },
    "answer",
    runtime.sha256(ref).slice(0, refHashLength),
  );
  const value: Delivery = {
    ...to,
    id,
    requestId,
    audience,
    notice: "answer",
    state: "SENT",
    ref,
    fault: null,
    at: now,
  };
  const about = { topic: "answer", requestId, audience } as const;
  const update = newEffect({ kind: "update_note", deliveryId: id, about, ...to }, { now, runtime });
  await store.commit({
    ...recordOnly([]),
    writes: [{ kind: "deliveryAdded", value }],
    effects: isForm ? [] : [update],
  });
}
