import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { NoticeRule } from "../../../core/effects/notices.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import { coveredApprovers } from "../../../service/messaging/channel-reach.ts";
import type { DeliveryAddress } from "../../../service/messaging/surfaces.ts";
import type { Delivery } from "../../../service/ports/store.ts";
import { deliveryId } from "../../../service/views/delivery-status.ts";
import type { Recipient } from "./recipients.ts";

/** Above this many approvers the policy's channel carries the card instead of a message to each. */
export const directMessagesMax = 10;

/** Which people the policy's channels reach, so that they need no message of their own there. */
export interface ChannelCoverage {
  /** The addresses of this person that need no message. */
  coveredOf(person: Pick<Recipient, "readerId" | "addresses">): readonly DeliveryAddress[];
  /** The channels that cover people. */
  readonly channels: readonly DeliveryAddress[];
}

const noCoverage: ChannelCoverage = { coveredOf: () => [], channels: [] };

/** Many approvers are asked in the policy's channel; later notices to those people are posted there too. */
export async function coverageFor(
  context: ServiceContext,
  request: AccessRequest,
  known: readonly Delivery[],
  { to, chat }: NoticeRule,
  recipients: readonly Recipient[],
): Promise<ChannelCoverage> {
  if (to !== "people" || chat === "quiet") return noCoverage;
  const cards = known.filter(({ notice }) => notice === null);
  if (chat === "note") return recordedCoverage(context, request, cards);
  return recipients.length > directMessagesMax ? currentCoverage(context, request, cards) : noCoverage;
}

/**
 * Coverage by the current members of the channels. A channel that could not be notified, or whose members are unknown,
 * covers nobody: no approver is missed because a platform does not tell us who reads a channel.
 */
async function currentCoverage(
  context: ServiceContext,
  request: AccessRequest,
  cards: readonly Delivery[],
): Promise<ChannelCoverage> {
  const reached: { readonly channel: DeliveryAddress; readonly members: ReadonlySet<string> }[] = [];
  for (const channel of workingChannels(context, request, cards)) {
    const members = await channel.messenger.membersOf(channel.address);
    if (members !== undefined) reached.push({ channel, members });
  }
  return {
    channels: reached.map(({ channel }) => channel),
    coveredOf: ({ addresses }) =>
      addresses.filter(({ messenger, address }) =>
        reached.some(({ channel, members }) => channel.messenger === messenger && members.has(address)),
      ),
  };
}

/** Coverage as it was recorded when these people were asked. */
function recordedCoverage(
  context: ServiceContext,
  request: AccessRequest,
  cards: readonly Delivery[],
): ChannelCoverage {
  const covered = new Set(coveredApprovers(cards));
  const channels = workingChannels(context, request, cards);
  const hasOwnCard = (readerId: IdentityId, { messenger }: DeliveryAddress): boolean =>
    cards.some(
      (card) => card.readerId === readerId && card.surface === messenger.surface && card.state !== "FAILED",
    );
  return {
    channels,
    coveredOf: ({ readerId, addresses }) =>
      readerId === null || !covered.has(readerId)
        ? []
        : addresses.filter(
            (address) =>
              channels.some(({ messenger }) => messenger === address.messenger) &&
              !hasOwnCard(readerId, address),
          ),
  };
}

/** The request's channels on chat platforms, without those where a delivery failed. */
function workingChannels(
  { surfaces }: ServiceContext,
  { id, requirement }: AccessRequest,
  cards: readonly Delivery[],
): readonly DeliveryAddress[] {
  return [...new Set(requirement.channels)].flatMap((reference) => {
    const channel = surfaces.addressOfChannel(reference);
    if (channel?.messenger.keepsCards !== true) return [];
    const { surface } = channel.messenger;
    const cardId = deliveryId({ requestId: id, surface, address: channel.address, audience: "channel" });
    const hasFailed = cards.some(
      (card) => card.id === cardId && (card.state === "FAILED" || card.fault !== null),
    );
    return hasFailed ? [] : [channel];
  });
}
