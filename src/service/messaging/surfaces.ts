import type { NotifyChannel } from "../../core/access/access-request.ts";
import type { Identity } from "../../core/values/identity.ts";
import type { Messenger } from "./messenger.ts";

/** One address at which a person or channel is notified. */
export interface DeliveryAddress {
  readonly messenger: Messenger;
  readonly address: string;
}

/** The surfaces of this installation. They are added at the start. */
export interface Surfaces {
  add(messenger: Messenger): void;
  get(surface: NotifyChannel): Messenger | undefined;
  readonly configured: ReadonlySet<NotifyChannel>;
  /** Every address of this person. */
  addressesOf(person: Identity): Promise<readonly DeliveryAddress[]>;
  /** The address of a channel reference such as `slack:C0APPROVALS`; undefined: none in this installation. */
  addressOfChannel(reference: string): DeliveryAddress | undefined;
}

export function createSurfaces(): Surfaces {
  const messengers = new Map<NotifyChannel, Messenger>();
  const configured = new Set<NotifyChannel>();
  return {
    add(messenger) {
      messengers.set(messenger.surface, messenger);
      configured.add(messenger.surface);
    },
    get: (surface) => messengers.get(surface),
    configured,
    async addressesOf(person) {
      const addresses = await Promise.all(
        [...messengers.values()].map(async (messenger) => {
          const address = await messenger.addressOf(person);
          return address === undefined ? [] : [{ messenger, address }];
        }),
      );
      return addresses.flat();
    },
    addressOfChannel(reference) {
      for (const messenger of messengers.values()) {
        const address = messenger.channelAddress(reference);
        if (address !== undefined) return { messenger, address };
      }
      return undefined;
    },
  };
}
