import type { Card } from "../../../service/views/card.ts";
import type { Delivery } from "../../../service/ports/store.ts";

/** How many copies are remembered; of others it is not known what they say. */
const rememberedMax = 2_000;

/**
 * What the copies say that this process has written. Several changes in a row ask for the same copy several times: the
 * first of them writes its latest state, and the rest have nothing left to do.
 */
export interface ShownCards {
  /** Whether the message says exactly this already. */
  isShown(delivery: Delivery, card: Card): boolean;
  /** Whether the message offers to its readers what they cannot do any more; true when it is not known. */
  isMisleading(delivery: Delivery, card: Card): boolean;
  keep(delivery: Delivery, ref: string, card: Card): void;
}

export function createShownCards(): ShownCards {
  const shown = new Map<string, { readonly ref: string; readonly text: string; readonly offers: string }>();
  const known = ({ id, ref }: Delivery) => {
    const one = shown.get(id);
    return one?.ref === ref ? one : undefined;
  };
  return {
    isShown: (delivery, card) => known(delivery)?.text === textOf(card),
    isMisleading: (delivery, card) => known(delivery)?.offers !== offersOf(card),
    keep({ id }, ref, card) {
      shown.delete(id);
      shown.set(id, { ref, text: textOf(card), offers: offersOf(card) });
      const [oldest] = shown.keys();
      if (shown.size > rememberedMax && oldest !== undefined) shown.delete(oldest);
    },
  };
}

/** All that a message shows: how telling others stands is only on the requester's. */
function textOf(card: Card): string {
  const { audience, reach, unreachedChannels, request } = card;
  const reachFacts =
    audience === "requester" ? { reach, unreachedChannels } : { reach: null, unreachedChannels: [] };
  return JSON.stringify({ ...card, ...reachFacts, request: { ...request, notifications: null } });
}

/** What can be pressed, and on which terms. */
function offersOf({ actions, request }: Card): string {
  return JSON.stringify([actions, request.revision, request.status]);
}
