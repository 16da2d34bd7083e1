import type { AccessRequest } from "../../core/access/access-request.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import { accountIn, type Directory } from "../../core/values/identity.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import type { Card } from "../views/card.ts";
import type { Delivery } from "../ports/store.ts";
import type { Surfaces } from "./surfaces.ts";

/** The channels of a request that could not be notified, and why. */
export function unreachedChannels(
  surfaces: Pick<Surfaces, "addressOfChannel">,
  { requirement, breakGlass }: AccessRequest,
  deliveries: readonly Delivery[],
): Card["unreachedChannels"] {
  const references = breakGlass === undefined ? requirement.channels : breakGlass.notify;
  return [...new Set(references)].flatMap((reference) => {
    const deliveryAddress = surfaces.addressOfChannel(reference);
    if (deliveryAddress === undefined) return [{ reference, code: "not_configured" }];
    const { messenger, address } = deliveryAddress;
    const delivery = deliveries.find(
      (one) => one.readerId === null && one.surface === messenger.surface && one.address === address,
    );
    return delivery === undefined || delivery.fault === null ? [] : [{ reference, code: delivery.fault }];
  });
}

/** Approvers without a message of their own, because a channel stands in for them. */
export function coveredApprovers(deliveries: readonly Delivery[]): readonly IdentityId[] {
  return deliveries.flatMap(({ surface, state, readerId }) =>
    surface === "nowhere" && state === "NOT_NEEDED" && readerId !== null ? [readerId] : [],
  );
}

/**
 * Whom a channel's message mentions: the approvers for whom it stands in. User groups that the policy names are
 * mentioned as groups.
 */
export function mentionsOf(
  request: AccessRequest,
  deliveries: readonly Delivery[],
  directory: Directory,
): Card["mentions"] {
  const covered = new Set(coveredApprovers(deliveries));
  if (covered.size === 0) return [];
  const selectors = stagesOf(request.requirement).flatMap((stage) => stage.approvers);
  const groups = selectors.filter((selector) => selector.kind === "slack-usergroup");
  const inGroups = new Set(
    groups.flatMap((group) => directory.people(group, request.subjectId).map(({ id }) => id)),
  );
  return [
    ...[...new Set(groups.map(({ id }) => id))].map((id) => ({ kind: "usergroup", id }) as const),
    ...[...covered].filter((id) => !inGroups.has(id)).flatMap((id) => accountsOf(id, directory)),
  ];
}

function accountsOf(id: IdentityId, directory: Directory): Card["mentions"] {
  const { links = {}, chatLinks = {}, name = id } = directory.identity(id) ?? {};
  return (["slack", "teams"] as const).flatMap((surface) => {
    const account = accountIn(links, surface) ?? accountIn(chatLinks, surface);
    return account === undefined ? [] : [{ kind: "account", account, name } as const];
  });
}
