import type { NotifyChannel } from "../../../../src/core/access/access-request.ts";
import type { Card } from "../../../../src/service/views/card.ts";
import { DeliveryFault, type Messenger, type Note } from "../../../../src/service/messaging/messenger.ts";

/** A message as somebody reads it now. */
export interface Shown {
  readonly address: string;
  card: Card;
  rewritten: number;
}

export interface FakeMessenger extends Messenger {
  /** Messages by their ref. */
  readonly shown: Map<string, Shown>;
  readonly said: { readonly address: string; note: Note; readonly thread: string | null }[];
  /** Everything that was tried, in order. */
  readonly tried: string[];
  /** Throws or waits for this address; undefined: all is well. */
  trouble: (address: string, what: "post" | "rewrite" | "direct") => Promise<void> | void;
  /** People's addresses by channel; channels that are left out are not known. */
  readonly members: Map<string, readonly string[]>;
  cardsAt(address: string): Card[];
  noticesAt(address: string): string[];
}

/** A surface in memory: remembers what people see, and fails as it is told to. People's addresses are their ids. */
export function fakeMessenger(
  surface: NotifyChannel,
  options: { readonly keepsCards?: boolean; readonly reaches?: (id: string) => boolean } = {},
): FakeMessenger {
  const { keepsCards = surface !== "email", reaches = () => true } = options;
  const shown = new Map<string, Shown>();
  const said: FakeMessenger["said"] = [];
  const tried: string[] = [];
  let count = 0;
  const attempt = async (address: string, what: "post" | "rewrite" | "direct"): Promise<void> => {
    tried.push(`${what} ${address}`);
    await fake.trouble(address, what);
  };
  const fake: FakeMessenger = {
    surface,
    keepsCards,
    shown,
    said,
    tried,
    members: new Map(),
    async membersOf(channel) {
      const addresses = fake.members.get(channel);
      return addresses === undefined ? undefined : new Set(addresses);
    },
    trouble: () => undefined,
    cardsAt: (address) => [...shown.values()].filter((one) => one.address === address).map((one) => one.card),
    noticesAt: (address) =>
      said
        .filter((one) => one.address === address)
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
      said.push({ address, note, thread });
      return keepsCards ? `${surface}-note-${said.length - 1}` : null;
    },
    async rewriteNote(ref, note) {
      const message = said[Number(ref.split("-").at(-1))];
      if (message === undefined) return "closed";
      await attempt(message.address, "rewrite");
      message.note = note;
      const isOpen = note.about === "request" ? note.isOver !== true : note.about === "link";
      return isOpen ? "open" : "closed";
    },
  };
  return fake;
}

export const isDown = (): never => {
  throw new DeliveryFault("service_unavailable", { retryable: true, isSurfaceDown: true });
};

export const refuses = (): never => {
  throw new DeliveryFault("channel_not_found", { retryable: false });
};
