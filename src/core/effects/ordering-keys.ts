import type { Effect } from "./effects.ts";

/**
 * Effects of one lane are done one after the other, in the order they were written: what is announced about a request,
 * what one recipient is told on one surface. Null: whenever there is room.
 */
export function orderingKeyOf(effect: Effect): string | null {
  switch (effect.kind) {
    case "announce":
      return `request:${effect.requestId}`;
    case "announce_ending":
      return `ending:${effect.grantId}`;
    // Two failures of one moment are looked at one after the other; the planned look holds up nobody.
    case "check_delivery":
      return effect.lost === null ? null : `delivery-check:${effect.requestId}`;
    case "update_card":
      return effect.isPostponed === true
        ? `rewrite:${effect.requestId}:${effect.audience}:${effect.surface}:${effect.address}`
        : `${effect.surface}:${effect.address}`;
    case "update_note":
      return effect.isPostponed === true
        ? `rewrite:${effect.deliveryId}`
        : `${effect.surface}:${effect.address}`;
    case "send_note":
      return `${effect.surface}:${effect.address}`;
    // Nothing waits behind a target that cannot be made ready, least of all its end. Each acts on the grant as it then
    // stands, and one at a time (service/target-service.ts).
    case "provision":
    case "take_back":
    case "announce_key":
    case "announce_waiting":
    case "announce_link":
    case "announce_key_expiry":
    case "request_link":
    case "alert_admins":
    case "links_made":
    case "end_access_of":
    case "review_approvers":
      return null;
  }
}

/** What goes the same way out, so that a way that is blocked holds up nothing else. */
export function destinationOf(effect: Effect): string {
  switch (effect.kind) {
    case "update_card":
    case "update_note":
    case "send_note":
      return effect.surface;
    case "provision":
      return `target:${effect.connector}`;
    // A slow end of one grant must take no room from the claim of another.
    case "take_back":
      return `take-back:${effect.connector}`;
    case "announce":
    case "announce_ending":
    case "announce_key":
    case "announce_waiting":
    case "announce_link":
    case "announce_key_expiry":
    case "request_link":
    case "alert_admins":
    case "links_made":
    case "check_delivery":
    case "end_access_of":
    case "review_approvers":
      return "internal";
  }
}
