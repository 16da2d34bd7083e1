import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { deliveryId } from "../../../service/views/delivery-status.ts";
import { coveredApprovers } from "../../../service/messaging/channel-reach.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import type { DeliveryAddress } from "../../../service/messaging/surfaces.ts";

/** Above this many approvers the policy's channel carries the card instead of a message to each. */
export const directMessagesMax = 10;

/** Whom the policy's channels reach, so that they need no message of their own there. */
export interface ChannelCoverage {
  /** The places of this person that need no message. */
  coveredOf(person: {
    readonly readerId: IdentityId | null;
    readonly addresses: readonly DeliveryAddress[];
  }): readonly DeliveryAddress[];
  /** The channels that stand in for somebody. */
  readonly channels: readonly DeliveryAddress[];
}

export const noCoverage: ChannelCoverage = { coveredOf: () => [], channels: [] };

/**
 * Who is in a channel that carries the request's card. A channel that could not be told, or whose members are not known,
 * stands in for nobody: no approver is missed because the platform does not say who reads what.
 */
export async function channelCoverage(
  context: ServiceContext,
  request: AccessRequest,
  deliveries: readonly Delivery[],
): Promise<ChannelCoverage> {
  const reached: { readonly deliveryAddress: DeliveryAddress; readonly members: ReadonlySet<string> }[] = [];
  for (const reference of new Set(request.requirement.channels)) {
    const deliveryAddress = context.surfaces.addressOfChannel(reference);
    if (
      deliveryAddress === undefined ||
      !deliveryAddress.messenger.keepsCards ||
      isLost(request, deliveries, deliveryAddress)
    )
      continue;
    const members = await deliveryAddress.messenger.membersOf(deliveryAddress.address);
    if (members !== undefined) reached.push({ deliveryAddress, members });
  }
  return {
    channels: reached.map(({ deliveryAddress }) => deliveryAddress),
    coveredOf: ({ addresses }) =>
      addresses.filter((own) =>
        reached.some(
          ({ deliveryAddress, members }) =>
            deliveryAddress.messenger === own.messenger && members.has(own.address),
        ),
      ),
  };
}

/** As recorded when they were asked: for what is told to them later. */
export function recordedCoverage(
  { surfaces }: Pick<ServiceContext, "surfaces">,
  request: AccessRequest,
  deliveries: readonly Delivery[],
): ChannelCoverage {
  const covered = new Set(coveredApprovers(deliveries));
  const channels = [...new Set(request.requirement.channels)].flatMap((reference) => {
    const deliveryAddress = surfaces.addressOfChannel(reference);
    const isThere =
      deliveryAddress?.messenger.keepsCards === true && !isLost(request, deliveries, deliveryAddress);
    return deliveryAddress !== undefined && isThere ? [deliveryAddress] : [];
  });
  const own = (deliveryAddress: DeliveryAddress, readerId: IdentityId): boolean =>
    deliveries.some(
      (delivery) =>
        delivery.readerId === readerId &&
        delivery.surface === deliveryAddress.messenger.surface &&
        delivery.state !== "FAILED",
    );
  return {
    channels,
    coveredOf: ({ readerId, addresses }) =>
      readerId === null || !covered.has(readerId)
        ? []
        : addresses.filter(
            (deliveryAddress) =>
              channels.some(({ messenger }) => messenger === deliveryAddress.messenger) &&
              !own(deliveryAddress, readerId),
          ),
  };
}

function isLost(
  request: AccessRequest,
  deliveries: readonly Delivery[],
  { messenger, address }: DeliveryAddress,
): boolean {
  const id = deliveryId({ requestId: request.id, surface: messenger.surface, address, audience: "channel" });
  return deliveries.some(
    (delivery) => delivery.id === id && (delivery.state === "FAILED" || delivery.fault !== null),
  );
}
