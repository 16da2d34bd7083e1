import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { Addressee } from "../../../core/effects/effects.ts";
import type { Audience, NoticeKind } from "../../../core/effects/notices.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import { noteDeliveryId } from "../../../service/views/delivery-status.ts";

interface NoteAbout {
  readonly requestId: AccessRequest["id"];
  readonly notice: NoticeKind;
  readonly audience: Audience;
}

/** The delivery of a note. Recorded before the note is sent, so that a change of the request meanwhile updates it. */
export function newNote(
  { runtime }: ServiceContext,
  { requestId, notice, audience }: NoteAbout,
  to: Addressee,
): Delivery {
  const delivery = { ...to, requestId, audience };
  const id = noteDeliveryId(delivery, notice, runtime.idSuffix());
  return { ...delivery, id, notice, state: "QUEUED", ref: null, fault: null, at: runtime.now() };
}
