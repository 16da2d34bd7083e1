import { systemActor } from "../../../core/access/access-case.ts";
import type { Addressee, Effect } from "../../../core/effects/effects.ts";
import type { Audience, NoticeKind } from "../../../core/effects/notices.ts";
import type { RequestId } from "../../../core/values/ids.ts";
import { newEffect } from "../../../service/decisions/build-step.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { coveredApprovers } from "../../../service/messaging/channel-reach.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import { deliveryId } from "../../../service/views/delivery-status.ts";
import type { EffectOutcome } from "../runner.ts";
import { markDelivery } from "./delivery-records.ts";

/** A message that failed for good, and the code of the fault. */
export interface FailedMessage {
  readonly requestId: RequestId;
  readonly audience: Audience;
  readonly what: NoticeKind | "card";
  readonly code: string;
}

/** Records that a message of a request was not delivered, and starts what has to follow from that. */
export async function recordFailedDelivery(
  context: ServiceContext,
  to: Addressee,
  failed: FailedMessage,
): Promise<EffectOutcome> {
  const deliveries = await context.store.deliveries([failed.requestId]);
  const id = deliveryId({ requestId: failed.requestId, ...to, audience: failed.audience });
  const delivery = deliveries.find((known) => known.id === id);
  if (to.readerId === null && delivery !== undefined) {
    return channelFailed(context, to, failed, deliveries, delivery);
  }
  // A card that was posted before is rewritten at the next change, so its delivery has not failed.
  return failedOutcome(context, to, failed, delivery?.ref === null ? delivery : undefined);
}

/** Records that a posted card has disappeared and could not be posted again. */
export async function recordLostCard(
  context: ServiceContext,
  to: Addressee,
  failed: FailedMessage,
  delivery: Delivery,
): Promise<EffectOutcome> {
  const lost = { ...delivery, ref: null };
  if (to.readerId !== null) return failedOutcome(context, to, failed, lost);
  const deliveries = await context.store.deliveries([failed.requestId]);
  return channelFailed(context, to, failed, deliveries, lost);
}

/**
 * Announces a channel that could not be notified, once for each request and cause: to the requester, to administrators
 * and to the approvers covered by the channel.
 */
function channelFailed(
  { runtime }: ServiceContext,
  to: Addressee,
  failed: FailedMessage,
  deliveries: readonly Delivery[],
  delivery: Delivery,
): EffectOutcome {
  const state = delivery.ref === null ? "FAILED" : delivery.state;
  const writes = [markDelivery({ runtime }, delivery, state, delivery.ref, failed.code)];
  if (delivery.fault === failed.code) return delivery.state === state ? {} : { writes };
  const announce: Effect = {
    kind: "announce",
    requestId: failed.requestId,
    notices: [{ notice: "channel_unreached", people: coveredApprovers(deliveries) }],
  };
  return {
    ...failedOutcome({ runtime }, to, failed, undefined),
    writes,
    effects: [newEffect(announce, { now: runtime.now(), runtime })],
  };
}

/** @param delivery Marked as failed, so that it is not retried; undefined: no delivery changes. */
function failedOutcome(
  { runtime }: Pick<ServiceContext, "runtime">,
  { surface, readerId }: Addressee,
  { requestId, audience, what, code }: FailedMessage,
  delivery: Delivery | undefined,
): EffectOutcome {
  const now = runtime.now();
  const check: Effect = { kind: "check_delivery", requestId, lost: readerId };
  const isApprover = audience === "approver" && readerId !== null;
  return {
    writes: delivery === undefined ? [] : [markDelivery({ runtime }, delivery, "FAILED", null, code)],
    // Checked after this commit, because another delivery to the same person may be failing right now.
    effects: delivery !== undefined && isApprover ? [newEffect(check, { now, runtime })] : [],
    audit: [
      {
        at: now,
        action: "notification.failed",
        actor: systemActor,
        request: requestId,
        ...(readerId !== null && { identity: readerId }),
        data: { surface, what, code },
      },
    ],
  };
}
