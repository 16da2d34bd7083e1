import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { copyId } from "../../../service/views/delivery-status.ts";
import { coveredApprovers } from "../../../service/messaging/channel-reach.ts";
import type { ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { Copy } from "../../../service/ports/store.ts";
import type { Place } from "../../../service/messaging/surfaces.ts";

/** Above this many approvers the policy's channel carries the card instead of a message to each. */
export const directMessagesMax = 10;

/** Whom the policy's channels reach, so that they need no message of their own there. */
export interface ChannelCoverage {
  /** The places of this person that need no message. */
  coveredOf(person: {
    readonly readerId: IdentityId | null;
    readonly places: readonly Place[];
  }): readonly Place[];
  /** The channels that stand in for somebody. */
  readonly channels: readonly Place[];
}

export const noCoverage: ChannelCoverage = { coveredOf: () => [], channels: [] };

/**
 * Who is in a channel that carries the request's card. A channel that could not be told, or whose members are not known,
 * stands in for nobody: no approver is missed because the platform does not say who reads what.
 */
export async function channelCoverage(
  context: ServiceContext,
  request: AccessRequest,
  copies: readonly Copy[],
): Promise<ChannelCoverage> {
  const reached: { readonly place: Place; readonly members: ReadonlySet<string> }[] = [];
  for (const reference of new Set(request.requirement.channels)) {
    const place = context.surfaces.placeOfChannel(reference);
    if (place === undefined || !place.messenger.keepsCards || isLost(request, copies, place)) continue;
    const members = await place.messenger.membersOf(place.address);
    if (members !== undefined) reached.push({ place, members });
  }
  return {
    channels: reached.map(({ place }) => place),
    coveredOf: ({ places }) =>
      places.filter((own) =>
        reached.some(({ place, members }) => place.messenger === own.messenger && members.has(own.address)),
      ),
  };
}

/** As recorded when they were asked: for what is told to them later. */
export function recordedCoverage(
  { surfaces }: Pick<ServiceContext, "surfaces">,
  request: AccessRequest,
  copies: readonly Copy[],
): ChannelCoverage {
  const covered = new Set(coveredApprovers(copies));
  const channels = [...new Set(request.requirement.channels)].flatMap((reference) => {
    const place = surfaces.placeOfChannel(reference);
    const isThere = place?.messenger.keepsCards === true && !isLost(request, copies, place);
    return place !== undefined && isThere ? [place] : [];
  });
  const own = (place: Place, readerId: IdentityId): boolean =>
    copies.some(
      (copy) =>
        copy.readerId === readerId && copy.surface === place.messenger.surface && copy.state !== "FAILED",
    );
  return {
    channels,
    coveredOf: ({ readerId, places }) =>
      readerId === null || !covered.has(readerId)
        ? []
        : places.filter(
            (place) =>
              channels.some(({ messenger }) => messenger === place.messenger) && !own(place, readerId),
          ),
  };
}

function isLost(request: AccessRequest, copies: readonly Copy[], { messenger, address }: Place): boolean {
  const id = copyId({ requestId: request.id, surface: messenger.surface, address, audience: "channel" });
  return copies.some((copy) => copy.id === id && (copy.state === "FAILED" || copy.fault !== null));
}
