import { makeId, type IdentityId, type Instant } from "./ids.ts";
import { accountIn, linkName, type Identity, type Origin, type Origins, type Via } from "./identity.ts";
import { refuse, type Refusal } from "./refusals.ts";

type OriginKey = keyof Origins;
const originKeys = ["slack", "teams", "email"] as const satisfies readonly OriginKey[];

/** Returns the new identity with the origins of its links and its address. `by` is empty when the file sets them. */
export function withOrigins(
  before: Identity | undefined,
  after: Identity,
  by: readonly IdentityId[],
  at: Instant,
): Identity {
  const newOrigin: Origin = { by, at, atCreation: before === undefined };
  const origins = originKeys.flatMap((originKey) => {
    if (valueOf(after, originKey) === undefined || isSetByFile(after, originKey)) return [];
    const isSame = before !== undefined && valueOf(before, originKey) === valueOf(after, originKey);
    const origin = isSame ? before.origins?.[originKey] : newOrigin;
    return origin === undefined || origin.by.length === 0 ? [] : [[originKey, origin] as const];
  });
  const { origins: _before, ...identity } = after;
  return origins.length === 0 ? identity : { ...identity, origins: Object.fromEntries(origins) };
}

function valueOf({ links, email }: Identity, originKey: OriginKey): string | undefined {
  if (originKey === "email") return email?.toLowerCase();
  const account = accountIn(links, originKey);
  return account && linkName(account);
}

function isSetByFile({ managedBy, chatLinks = {} }: Identity, originKey: OriginKey): boolean {
  return managedBy === "file" && (originKey === "email" || accountIn(chatLinks, originKey) === undefined);
}

/**
 * Everyone who influenced how this person is recognised: who made the key (and who was behind that person), who
 * linked the account, and who changed the address. The address counts because links and approvers are found by it.
 */
export function peopleBehind(
  { origins = {} }: Pick<Identity, "origins">,
  via: Via,
  madeKey: readonly IdentityId[],
): readonly IdentityId[] {
  const { email } = origins;
  const link = via === "slack" || via === "teams" ? origins[via] : undefined;
  const address = email === undefined || email.atCreation ? [] : email.by;
  return [...new Set([...madeKey, ...(link?.by ?? []), ...address])];
}

/**
 * The identity of the operator's own key. Most keys are made with it and it is not a person, so a key it made is not
 * attributed to the requester.
 */
export const builtInIdentityId = makeId("identity", "admin");

/**
 * Refuses an approver whose key, link or address was set by the requester or the subject. Otherwise people could
 * approve their own requests through an account they control.
 */
export function refuseSelfMadeApprover(
  { subjectId, requestedById }: { readonly subjectId: IdentityId; readonly requestedById: IdentityId },
  behind: readonly IdentityId[],
): Refusal | undefined {
  const requesters = [subjectId, requestedById].filter((id) => id !== builtInIdentityId);
  if (!requesters.some((id) => behind.includes(id))) return undefined;
  return refuse(
    "self_approval",
    "Your key, your chat link or your address came from the person who asks, so it cannot decide this. Another administrator can give you a new one.",
  );
}
