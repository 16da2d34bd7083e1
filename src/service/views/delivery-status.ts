import type { NotifyChannel } from "../../core/access/access-request.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import { linkName, type ChatAccount } from "../../core/values/identity.ts";
import type { Delivery, DeliverySubject, NoteTopic } from "../ports/store.ts";

/** The id of the one copy that this reader has of this request at this place. */
export function deliveryId(
  delivery: Pick<Delivery, "requestId" | "surface" | "address" | "audience">,
): string {
  return `${delivery.requestId} ${delivery.audience} ${delivery.surface}:${delivery.address}`;
}

/** Of one note among those that a reader gets of this request; `tail` tells it from others of its kind. */
export function noteDeliveryId(
  delivery: Parameters<typeof deliveryId>[0],
  notice: NoteTopic,
  tail: string,
): string {
  return `${deliveryId(delivery)} ${notice}:${tail}`;
}

/** What copies of link notes are filed under. */
export function linkSubject(account: ChatAccount): DeliverySubject {
  return `link:${linkName(account)}`;
}

/** Nobody was told by this copy, and nothing is on its way. */
export function isGivenUp({ state, ref }: Pick<Delivery, "state" | "ref">): boolean {
  return ref === null && state !== "QUEUED" && state !== "SENT";
}

/** How telling people of a request on one channel stands, as callers read it. */
export type NotificationState = "NOT_CONFIGURED" | "QUEUED" | "SENT" | "PARTLY_SENT" | "FAILED" | "NOBODY";

export function notificationState(
  channel: NotifyChannel,
  deliveries: readonly Delivery[],
  configured: ReadonlySet<NotifyChannel>,
): NotificationState {
  if (!configured.has(channel)) return "NOT_CONFIGURED";
  // Nobody has looked yet who is to be told.
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
  /** Who is being told, but has not been yet. */
  readonly inFlight: number;
  readonly asked: number;
  /** Who can be told nowhere. */
  readonly unreached: readonly IdentityId[];
}

/** How many of the approvers asked so far have been told; null before anybody has looked. */
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
