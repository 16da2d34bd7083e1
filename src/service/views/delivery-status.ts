import type { NotifyChannel } from "../../core/access/access-request.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import { linkName, type ChatAccount } from "../../core/values/identity.ts";
import type { Delivery, DeliverySubject, NoteTopic } from "../ports/store.ts";

/** The id of the one delivery of this request to this reader at this address. */
export function deliveryId(
  delivery: Pick<Delivery, "requestId" | "surface" | "address" | "audience">,
): string {
  return `${delivery.requestId} ${delivery.audience} ${delivery.surface}:${delivery.address}`;
}

/** The id of one note to this reader about this request. `tail` distinguishes notes of one kind. */
export function noteDeliveryId(
  delivery: Parameters<typeof deliveryId>[0],
  notice: NoteTopic,
  tail: string,
): string {
  return `${deliveryId(delivery)} ${notice}:${tail}`;
}

/** The subject that deliveries of link notes are stored under. */
export function linkSubject(account: ChatAccount): DeliverySubject {
  return `link:${linkName(account)}`;
}

/** Whether the delivery has failed and no attempt is pending. */
export function isGivenUp({ state, ref }: Pick<Delivery, "state" | "ref">): boolean {
  return ref === null && state !== "QUEUED" && state !== "SENT";
}

/** How far the notifications of a request on one channel are, for callers. */
export type NotificationState = "NOT_CONFIGURED" | "QUEUED" | "SENT" | "PARTLY_SENT" | "FAILED" | "NOBODY";

export function notificationState(
  channel: NotifyChannel,
  deliveries: readonly Delivery[],
  configured: ReadonlySet<NotifyChannel>,
): NotificationState {
  if (!configured.has(channel)) return "NOT_CONFIGURED";
  // Recipients are not resolved yet.
  if (deliveries.length === 0) return "QUEUED";
  const states = deliveries
    .filter((one) => one.notice === null && one.surface === channel && one.state !== "NOT_NEEDED")
    .map((one) => one.state);
  if (states.length === 0) return "NOBODY";
  if (states.includes("QUEUED")) return "QUEUED";
  if (!states.includes("FAILED") && !states.includes("UNREACHABLE")) return "SENT";
  return states.includes("SENT") ? "PARTLY_SENT" : "FAILED";
}

export interface Reach {
  readonly reached: number;
  /** Approvers with a message on its way. */
  readonly inFlight: number;
  readonly asked: number;
  /** Approvers who cannot be reached. */
  readonly unreached: readonly IdentityId[];
}

/** How many of the approvers asked so far have been notified; null before recipients are resolved. */
export function reachOf(deliveries: readonly Delivery[]): Reach | null {
  const readers = new Map<IdentityId, Delivery["state"][]>();
  for (const { audience, notice, readerId, state } of deliveries) {
    if (notice !== null || audience !== "approver" || readerId === null) continue;
    readers.set(readerId, [...(readers.get(readerId) ?? []), state]);
  }
  if (readers.size === 0) return null;
  return {
    reached: [...readers.values()].filter(isReached).length,
    inFlight: [...readers.values()].filter((states) => !isReached(states) && states.includes("QUEUED"))
      .length,
    asked: readers.size,
    unreached: [...readers].flatMap(([id, states]) =>
      isReached(states) || states.includes("QUEUED") ? [] : [id],
    ),
  };
}

function isReached(states: readonly Delivery["state"][]): boolean {
  return states.includes("SENT") || states.includes("NOT_NEEDED");
}
