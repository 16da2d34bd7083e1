import type { NotifyChannel } from "../../../../src/core/access/access-request.ts";
import type { Card } from "../../../../src/service/views/card.ts";
import { DeliveryFault, type Messenger, type Note } from "../../../../src/service/messaging/messenger.ts";

/** A card as its reader sees it now. */
export interface ShownCard {
  readonly address: string;
  card: Card;
  rewritten: number;
}

export interface FakeMessenger extends Messenger {
  /** Messages by their ref. */
  readonly shown: Map<string, ShownCard>;
  readonly notes: { readonly address: string; note: Note; readonly thread: string | null }[];
  /** Every attempt, in order. */
  readonly attempts: string[];
  /** Set by tests to throw or to hang for an address. */
  failure: (address: string, what: "post" | "rewrite" | "direct") => Promise<void> | void;
  /** Addresses of the members by channel. The members of any other channel are unknown. */
  readonly members: Map<string, readonly string[]>;
  cardsAt(address: string): Card[];
  noticesAt(address: string): string[];
}

/** A messenger in memory that can be made to fail. The address of a person is `@` and their id. */
export function fakeMessenger(
  surface: NotifyChannel,
  options: { readonly keepsCards?: boolean; readonly reaches?: (id: string) => boolean } = {},
): FakeMessenger {
  const { keepsCards = surface !== "email", reaches = () => true } = options;
  const shown = new Map<string, ShownCard>();
  const notes: FakeMessenger["notes"] = [];
  const attempts: string[] = [];
  let count = 0;
  const attempt = async (address: string, what: "post" | "rewrite" | "direct"): Promise<void> => {
    attempts.push(`${what} ${address}`);
    await fake.failure(address, what);
  };
  const fake: FakeMessenger = {
    surface,
    keepsCards,
    shown,
    notes,
    attempts,
    members: new Map(),
    async membersOf(channel) {
      const addresses = fake.members.get(channel);
      return addresses === undefined ? undefined : new Set(addresses);
    },
    failure: () => undefined,
    cardsAt: (address) =>
      [...shown.values()].filter((message) => message.address === address).map(({ card }) => card),
    noticesAt: (address) =>
      notes
        .filter((message) => message.address === address)
        .map(({ note }) => (note.about === "request" ? note.notice : note.about)),
    addressOf: async ({ id }) => (reaches(id) ? `@${id}` : undefined),
    channelAddress: (reference) =>
      reference.startsWith(`${surface}:`) ? reference.slice(surface.length + 1) : undefined,
    async post(address, card) {
      await attempt(address, "post");
      const ref = `${surface}-${++count}`;
      shown.set(ref, { address, card, rewritten: 0 });
      return ref;
    },
    async rewrite(ref, card) {
      const message = shown.get(ref);
      if (message === undefined) return "gone";
      await attempt(message.address, "rewrite");
      message.card = card;
      message.rewritten++;
      return "rewritten";
    },
    async direct(address, note, thread) {
      await attempt(address, "direct");
      notes.push({ address, note, thread });
      return keepsCards ? `${surface}-note-${notes.length - 1}` : null;
    },
    async rewriteNote(ref, note) {
      const message = notes[Number(ref.split("-").at(-1))];
      if (message === undefined) return "closed";
      await attempt(message.address, "rewrite");
      message.note = note;
      const isOpen = note.about === "request" ? note.isOver !== true : note.about === "link";
      return isOpen ? "open" : "closed";
    },
  };
  return fake;
}

export const failAsDown = (): never => {
  throw new DeliveryFault("service_unavailable", { retryable: true, isSurfaceDown: true });
};

export const rejectForGood = (): never => {
  throw new DeliveryFault("channel_not_found", { retryable: false });
};
