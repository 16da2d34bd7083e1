import type { Card } from "../../../service/views/card.ts";
import type { Delivery } from "../../../service/ports/store.ts";

/** How many messages are cached; the content of any other is unknown. */
const cachedMax = 2_000;

/**
 * A cache of what the cards say that this process has posted. Several changes in a row update the same card several
 * times: the first update writes the latest state, and the others can be skipped.
 */
export interface ShownCards {
  /** Whether the message already shows exactly this card. */
  isShown(delivery: Delivery, card: Card): boolean;
  /** Whether the message may offer actions that are no longer possible; true when its content is unknown. */
  isMisleading(delivery: Delivery, card: Card): boolean;
  keep(delivery: Delivery, ref: string, card: Card): void;
}

export function createShownCards(): ShownCards {
  const shown = new Map<string, { readonly ref: string; readonly text: string; readonly offers: string }>();
  const known = ({ id, ref }: Delivery) => {
    const message = shown.get(id);
    return message?.ref === ref ? message : undefined;
  };
  return {
    isShown: (delivery, card) => known(delivery)?.text === textOf(card),
    isMisleading: (delivery, card) => known(delivery)?.offers !== offersOf(card),
    keep({ id }, ref, card) {
      shown.delete(id);
      shown.set(id, { ref, text: textOf(card), offers: offersOf(card) });
      const [oldest] = shown.keys();
      if (shown.size > cachedMax && oldest !== undefined) shown.delete(oldest);
    },
  };
}

/** All that a message shows. How many approvers were reached is shown to the requester only. */
function textOf(card: Card): string {
  const { audience, reach, unreachedChannels, request } = card;
  const reachFacts =
    audience === "requester" ? { reach, unreachedChannels } : { reach: null, unreachedChannels: [] };
  return JSON.stringify({ ...card, ...reachFacts, request: { ...request, notifications: null } });
}

/** The actions that the message offers, and the state of the request that they act on. */
function offersOf({ actions, request }: Card): string {
  return JSON.stringify([actions, request.revision, request.status]);
}
