import type { AccessRequest } from "../../../core/access/access-request.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import type { Audience, NoticeRule, Notice } from "../../../core/effects/notices.ts";
import { isActive, type Identity } from "../../../core/values/identity.ts";
import { loadPeople, type ServiceContext } from "../../../service/decisions/load-facts.ts";
import type { DeliveryAddress } from "../../../service/messaging/surfaces.ts";

/** A person or channel that receives a notice, with every address it is sent to. */
export interface Recipient {
  readonly readerId: IdentityId | null;
  readonly audience: Audience;
  readonly addresses: readonly DeliveryAddress[];
}

export async function recipientsOf(
  context: ServiceContext,
  request: AccessRequest,
  notice: Notice,
  { to }: NoticeRule,
): Promise<readonly Recipient[]> {
  const { breakGlass, requirement } = request;
  switch (to) {
    case "people":
      return personRecipients(context, request, notice.people, "approver", true);
    case "requester":
      return personRecipients(
        context,
        request,
        [request.subjectId, request.requestedById],
        "requester",
        false,
      );
    case "channels":
      return channelRecipients(context, requirement.channels, "channel");
    case "alerted":
      return channelRecipients(context, breakGlass?.notify ?? [], "alert");
    case "reviewers": {
      const reviewers = await reviewersOf(context, request);
      return personRecipients(context, request, reviewers, "reviewer", true);
    }
    case "new_reviewers":
      return personRecipients(context, request, notice.people, "reviewer", true);
    case "admins": {
      const { admin } = (await context.rulebook()).book.rules.chatRoles;
      const { directory } = await loadPeople(context, [], admin);
      const ids = admin.flatMap((selector) =>
        directory.people(selector, request.subjectId).map(({ id }) => id),
      );
      return personRecipients(context, request, ids, "channel", true);
    }
  }
}

/** Everybody who may judge this emergency access. */
export async function reviewersOf(
  context: ServiceContext,
  { subjectId, breakGlass }: AccessRequest,
): Promise<readonly IdentityId[]> {
  const selectors = breakGlass?.review.by ?? [];
  const { directory } = await loadPeople(context, [subjectId], selectors);
  const ids = selectors.flatMap((selector) => directory.people(selector, subjectId).map(({ id }) => id));
  return ids.filter((id) => id !== subjectId);
}

/**
 * Each active person once, on the surfaces that the request names.
 *
 * @param isNeeded Somebody who cannot be reached there is notified on any other surface: a decision must not be lost
 *   because of what a requester chose.
 */
async function personRecipients(
  context: ServiceContext,
  request: AccessRequest,
  ids: readonly IdentityId[],
  audience: Audience,
  isNeeded: boolean,
): Promise<readonly Recipient[]> {
  const { identities } = await loadPeople(context, [...new Set(ids)], []);
  const people = [...new Set(ids)].flatMap((id): readonly Identity[] => {
    const person = identities.get(id)?.value;
    return person === undefined || person.kind !== "HUMAN" || !isActive(person) ? [] : [person];
  });
  return Promise.all(
    people.map(async (person) => {
      const all = await context.surfaces.addressesOf(person);
      const named = all.filter((deliveryAddress) =>
        request.notifyChannels.includes(deliveryAddress.messenger.surface),
      );
      const addresses = named.length === 0 && isNeeded ? all : named;
      return { readerId: person.id, audience, addresses };
    }),
  );
}

/** Channels are notified whatever surfaces the requester chose, because the policy names them. */
async function channelRecipients(
  { surfaces }: ServiceContext,
  references: readonly string[],
  audience: Audience,
): Promise<readonly Recipient[]> {
  return [...new Set(references)].flatMap((reference) => {
    const deliveryAddress = surfaces.addressOfChannel(reference);
    return deliveryAddress === undefined ? [] : [{ readerId: null, audience, addresses: [deliveryAddress] }];
  });
}
