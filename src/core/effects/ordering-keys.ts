import type { Effect } from "./effects.ts";

/**
 * Effects with the same ordering key run one at a time, in the order written: the notices of a request; the messages
 * to one recipient on one surface. Null: no ordering.
 */
export function orderingKeyOf(effect: Effect): string | null {
  switch (effect.kind) {
    case "announce":
      return `request:${effect.requestId}`;
    case "announce_ending":
      return `ending:${effect.grantId}`;
    // Simultaneous failures are checked one after the other; the planned check needs no ordering.
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
    // No ordering for targets: a take-back must never queue behind a failing provision. Each effect reads the grant
    // when it runs, and target-service locks the object.
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

/** The destination whose limit and circuit breaker apply, so that one unreachable destination blocks no other. */
export function destinationOf(effect: Effect): string {
  switch (effect.kind) {
    case "update_card":
    case "update_note":
    case "send_note":
      return effect.surface;
    case "provision":
      return `target:${effect.connector}`;
    // A slow take-back of one grant must not use up the limit for the claim of another.
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
