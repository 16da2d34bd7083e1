import type { KnownIdentity } from "../api/api-schemas.ts";
import type { SlackMember } from "./slack-members.ts";

/** What an import would do about one person. */
export type FoundPerson =
  /** Nobody here has this address. */
  | { readonly what: "new"; readonly id: string; readonly member: SlackMember }
  /** One active human has exactly this address and no Slack account yet. */
  | { readonly what: "link"; readonly identity: KnownIdentity; readonly member: SlackMember }
  | { readonly what: "linked"; readonly identity: KnownIdentity; readonly member: SlackMember }
  /** Not for a program to decide. */
  | { readonly what: "left"; readonly why: string; readonly member: SlackMember }
  /** Linked to an account that is no full member (any more). */
  | { readonly what: "gone"; readonly identity: KnownIdentity };

/**
 * Compares the members of one workspace with the people the service knows. Only an address that is the same to the
 * letter, and of nobody else, makes two of them one person; everything doubtful is left to the operator.
 */
export function comparePeople(
  members: readonly SlackMember[],
  identities: readonly KnownIdentity[],
): readonly FoundPerson[] {
  const byAccount = new Map(
    identities.flatMap((one) => {
      const { slack } = one.links;
      return slack === undefined ? [] : [[accountOf(slack), one] as const];
    }),
  );
  const byEmail = groupedBy(identities, (one) => one.email?.toLowerCase() ?? "");
  const addresses = groupedBy(members, (one) => one.email ?? "");
  const taken = new Set(identities.map((one) => one.id));
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
    const why = others.length > 0 ? "several identities have this address" : whyNot(same);
    return why === undefined ? { what: "link", identity: same, member } : { what: "left", why, member };
  });
  const teams = new Set(members.map((one) => one.teamId));
  const here = new Set(members.map(accountOf));
  const gone = identities.filter(({ active, links: { slack } }) => {
    return active && slack !== undefined && teams.has(slack.teamId) && !here.has(accountOf(slack));
  });
  return [...found, ...gone.map((identity): FoundPerson => ({ what: "gone", identity }))];
}

function whyNot({ id, kind, active, links, managedBy }: KnownIdentity): string | undefined {
  if (kind !== "HUMAN") return `${id} is no human`;
  if (!active) return `${id} is not active`;
  if (links.slack !== undefined) return `${id} has another account: ${links.slack.userId}`;
  return managedBy === "file" ? undefined : `${id} is not in the file: link it with PATCH /identities/${id}`;
}

function accountOf({ teamId, userId }: { readonly teamId: string; readonly userId: string }): string {
  return `${teamId} ${userId}`;
}

/** `ann.lee@company.com` → `id_ann_lee`, with a number behind it when there is one already. */
function freeId(email: string, taken: ReadonlySet<string>): string {
  const name = (email.split("@")[0] ?? "")
    .replaceAll(/[^a-z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 50);
  const id = `id_${name === "" ? "person" : name}`;
  for (let number = 1; ; number++) {
    const tried = number === 1 ? id : `${id}_${number}`;
    if (!taken.has(tried)) return tried;
  }
}

/** What to put into the configuration file, as YAML; undefined when there is nothing. */
export function peopleSnippet(found: readonly FoundPerson[]): string | undefined {
  const added = found.flatMap((one) => (one.what === "new" ? [entryOf(newPerson(one.id, one.member))] : []));
  const changed = found.flatMap((one) =>
    one.what === "link" ? [entryOf(linkedPerson(one.identity, one.member))] : [],
  );
  if (added.length + changed.length === 0) return undefined;
  return [
    "# Made by jit people import. Look at each line before you put it below identities: of your configuration file;",
    "# groups and managers are not known to Slack.",
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

/** JSON is YAML; what cannot be seen is written by its number, so that no name can steer a terminal or an editor. */
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

/** As `Map.groupBy`, which Node 20 lacks and the packed CLI therefore cannot use. */
function groupedBy<T>(all: readonly T[], keyOf: (one: T) => string): ReadonlyMap<string, readonly T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const key = keyOf(one);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return groups;
}
