import type { CardService } from "../../../../src/service/requests/card-source.ts";

/** Counts the cards that are built for a conversation. */
export interface CardBuilds {
  readonly cards: CardService;
  /** How many cards were built since the last call. */
  take(): number;
}

export function countCardBuilds(cards: CardService): CardBuilds {
  let count = 0;
  return {
    cards: {
      ...cards,
      cardFor: (...about) => {
        count++;
        return cards.cardFor(...about);
      },
      cardOf: (...about) => {
        count++;
        return cards.cardOf(...about);
      },
      cardOfShown: (...about) => {
        count++;
        return cards.cardOfShown(...about);
      },
    },
    take: () => {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}
