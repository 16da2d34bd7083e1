import { makeId, type IdentityId, type Instant } from "./ids.ts";
import { accountIn, linkName, type Identity, type Origin, type Origins, type Via } from "./identity.ts";
import { refuse, type Refusal } from "./refusals.ts";

type OriginKey = keyof Origins;
const originKeys = ["slack", "teams", "email"] as const satisfies readonly OriginKey[];

/** The identity as it is to be, with where its links and its address come from. `by`: empty for the file. */
export function withOrigins(
  before: Identity | undefined,
  after: Identity,
  by: readonly IdentityId[],
  at: Instant,
): Identity {
  const given: Origin = { by, at, atCreation: before === undefined };
  const known = originKeys.flatMap((originKey) => {
    if (nameIn(after, originKey) === undefined || isOfFile(after, originKey)) return [];
    const isSame = before !== undefined && nameIn(before, originKey) === nameIn(after, originKey);
    const origin = isSame ? before.origins?.[originKey] : given;
    return origin === undefined || origin.by.length === 0 ? [] : [[originKey, origin] as const];
  });
  const { origins: _before, ...identity } = after;
  return known.length === 0 ? identity : { ...identity, origins: Object.fromEntries(known) };
}

function nameIn({ links, email }: Identity, originKey: OriginKey): string | undefined {
  if (originKey === "email") return email?.toLowerCase();
  const account = accountIn(links, originKey);
  return account && linkName(account);
}

function isOfFile({ managedBy, chatLinks = {} }: Identity, originKey: OriginKey): boolean {
  return managedBy === "file" && (originKey === "email" || accountIn(chatLinks, originKey) === undefined);
}

/**
 * Everyone whose hand is in how this person is recognised here: who made the key and whoever was behind that, who linked
 * the account, and who has changed the address, by which links are made and approvers are named.
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
 * The identity of the operator's own key. It is nobody's person, and most keys are made with it: what it has made does
 * not come from whoever it asks for.
 */
export const builtInIdentityId = makeId("identity", "admin");

/** Nobody decides about their own request through a key, a link or an address that they gave an approver. */
export function refuseOwnHand(
  { subjectId, requestedById }: { readonly subjectId: IdentityId; readonly requestedById: IdentityId },
  behind: readonly IdentityId[],
): Refusal | undefined {
  const asking = [subjectId, requestedById].filter((id) => id !== builtInIdentityId);
  if (!asking.some((id) => behind.includes(id))) return undefined;
  return refuse(
    "self_approval",
    "Your key, your chat link or your address came from the person who asks, so it cannot decide this. Another administrator can give you a new one.",
  );
}
