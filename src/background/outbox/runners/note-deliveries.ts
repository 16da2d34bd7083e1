import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Addressee, Effect } from "../../../core/effects/effects.ts";
import type { NoticeKind } from "../../../core/effects/notices.ts";
import { noteDeliveryId } from "../../../service/views/delivery-status.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery, NoteTopic } from "../../../service/ports/store.ts";

/** Recorded before it is sent, so that no change of the request can miss it meanwhile. */
export function newNote(
  { runtime }: ServiceContext,
  {
    requestId,
    notice,
    audience,
  }: Pick<Delivery, "audience"> & {
    readonly requestId: AccessRequest["id"];
    readonly notice: NoticeKind;
  },
  to: Addressee,
): Delivery {
  const delivery = { ...to, requestId, audience };
  const id = noteDeliveryId(delivery, notice, runtime.idSuffix());
  return { ...delivery, id, notice, state: "QUEUED", ref: null, fault: null, at: runtime.now() };
}

/** What makes a note true, as long as it may have buttons. */
export function noteUpdate(
  { id, surface, address, audience, readerId, state }: Delivery,
  notice: NoteTopic,
  requestId: AccessRequest["id"],
): readonly Effect[] {
  const isOut = state === "QUEUED" || state === "SENT";
  if (!isOut || surface === "nowhere" || notice === "link") return [];
  const about =
    notice === "answer"
      ? ({ topic: "answer", requestId, audience } as const)
      : ({ topic: "request", requestId, notice, audience } as const);
  return [{ kind: "update_note", deliveryId: id, about, surface, address, readerId }];
}
