import type { KnownIdentity } from "../api/api-schemas.ts";
import type { SlackMember } from "./slack-members.ts";

/** What an import would do for one person. */
export type FoundPerson =
  /** No identity has this address. */
  | { readonly what: "new"; readonly id: string; readonly member: SlackMember }
  /** Exactly one active human has this address, and no Slack account yet. */
  | { readonly what: "link"; readonly identity: KnownIdentity; readonly member: SlackMember }
  | { readonly what: "linked"; readonly identity: KnownIdentity; readonly member: SlackMember }
  /** Left to the operator to decide. */
  | { readonly what: "left"; readonly why: string; readonly member: SlackMember }
  /** Linked to an account that is not, or no longer, a full member. */
  | { readonly what: "gone"; readonly identity: KnownIdentity };

/**
 * Compares the members of a workspace with the people the service knows. Only an identical address that nobody else has
 * makes a member and an identity the same person. Everything doubtful is left to the operator.
 */
export function comparePeople(
  members: readonly SlackMember[],
  identities: readonly KnownIdentity[],
): readonly FoundPerson[] {
  const byAccount = new Map(
    identities.flatMap((identity) => {
      const { slack } = identity.links;
      return slack === undefined ? [] : [[accountOf(slack), identity] as const];
    }),
  );
  const byEmail = groupBy(identities, ({ email }) => email?.toLowerCase() ?? "");
  const addresses = groupBy(members, ({ email }) => email ?? "");
  const taken = new Set(identities.map(({ id }) => id));
  const found = members.map((member): FoundPerson => {
    const linked = byAccount.get(accountOf(member));
    if (linked !== undefined) return { what: "linked", identity: linked, member };
    if (member.email === undefined) return { what: "left", why: "shows no confirmed address", member };
    if ((addresses.get(member.email)?.length ?? 0) > 1) {
      return { what: "left", why: "several members have this address", member };
    }
    const [same, ...others] = byEmail.get(member.email) ?? [];
    if (same === undefined) {
      const id = freeId(member.email, taken);
      taken.add(id);
      return { what: "new", id, member };
    }
    const why = others.length > 0 ? "several identities have this address" : whyNotLinkable(same);
    return why === undefined ? { what: "link", identity: same, member } : { what: "left", why, member };
  });
  const teams = new Set(members.map(({ teamId }) => teamId));
  const memberAccounts = new Set(members.map(accountOf));
  const gone = identities.filter(({ active, links: { slack } }) => {
    return active && slack !== undefined && teams.has(slack.teamId) && !memberAccounts.has(accountOf(slack));
  });
  return [...found, ...gone.map((identity): FoundPerson => ({ what: "gone", identity }))];
}

function whyNotLinkable({ id, kind, active, links, managedBy }: KnownIdentity): string | undefined {
  if (kind !== "HUMAN") return `${id} is no human`;
  if (!active) return `${id} is not active`;
  if (links.slack !== undefined) return `${id} has another account: ${links.slack.userId}`;
  return managedBy === "file" ? undefined : `${id} is not in the file: link it with PATCH /identities/${id}`;
}

function accountOf({ teamId, userId }: { readonly teamId: string; readonly userId: string }): string {
  return `${teamId} ${userId}`;
}

/** Makes an unused id: `ann.lee@company.com` → `id_ann_lee`, with a number if that is taken. */
function freeId(email: string, taken: ReadonlySet<string>): string {
  const name = (email.split("@")[0] ?? "")
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 50);
  const id = `id_${name === "" ? "person" : name}`;
  for (let number = 1; ; number++) {
    const candidate = number === 1 ? id : `${id}_${number}`;
    if (!taken.has(candidate)) return candidate;
  }
}

/** The entries for the configuration file, as YAML; undefined when there are none. */
export function peopleSnippet(found: readonly FoundPerson[]): string | undefined {
  const added = found.flatMap((person) =>
    person.what === "new" ? [entryOf(newPerson(person.id, person.member))] : [],
  );
  const changed = found.flatMap((person) =>
    person.what === "link" ? [entryOf(linkedPerson(person.identity, person.member))] : [],
  );
  if (added.length + changed.length === 0) return undefined;
  return [
    "# Made by jit people import. Check each line before you add it to identities: of your configuration file;",
    "# Slack does not know groups and managers.",
    "identities:",
    ...(changed.length === 0 ? [] : ["  # In place of the entry with the same id:", ...changed]),
    ...(added.length === 0 ? [] : ["  # New:", ...added]),
    "",
  ].join("\n");
}

function newPerson(id: string, { email, name, teamId, userId }: SlackMember): object {
  return { id, email, name, links: { slack: { teamId, userId } } };
}

function linkedPerson(
  { id, email, name, managerId, groups, links }: KnownIdentity,
  { teamId, userId }: SlackMember,
): object {
  return {
    id,
    ...(email !== null && { email }),
    name,
    ...(managerId !== null && { managerId }),
    ...(groups.length > 0 && { groups }),
    links: { ...links, slack: { teamId, userId } },
  };
}

/** Writes JSON, which is YAML. Invisible characters are escaped, so that no name can control a terminal or editor. */
function entryOf(person: object): string {
  const json = JSON.stringify(person).replaceAll(/[\u007F-\u009F\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
  return `  - ${json}`;
}

function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}

/** Like `Map.groupBy`, which the packed CLI cannot use because Node 20 lacks it. */
function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
