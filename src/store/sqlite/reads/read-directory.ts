import type { IdentityId } from "../../../core/values/ids.ts";
import { linkName, type DirectoryQuery, type Selector } from "../../../core/values/identity.ts";
import type { Page, Reads } from "../../../service/ports/store.ts";
import { and, asc, desc, eq, inArray, isNull, lt, sql, unionAll } from "../tables/drizzle.ts";
import { reading } from "../tables/sqlite-faults.ts";
import type { RememberedPeople } from "./cached-identities.ts";
import { apiKeys, identities, identityGroups, uniqueNames } from "../tables/schema.ts";
import type { SinceChange } from "../../shared/read-cache.ts";
import { hole, listHole, listText, type Tables } from "../tables/placeholders.ts";

type DirectoryReads = Pick<
  Reads,
  | "identity"
  | "identities"
  | "fileIdentities"
  | "groupNames"
  | "identityByLink"
  | "people"
  | "key"
  | "keyByHash"
  | "keys"
  | "keysOf"
>;

/** People, programs and their keys. */
export function createDirectoryReads(
  tables: Tables,
  people: RememberedPeople,
  sinceChange: SinceChange,
): DirectoryReads {
  const statements = prepareDirectoryReads(tables);
  // Asked at every call: mostly about a few keys, which hardly ever change.
  const keyByHash = sinceChange.remembering("directory", (hash) => {
    const row = statements.keyByHash.get({ hash });
    return row === undefined
      ? undefined
      : { key: { value: row.value, version: row.version }, identity: row.identity };
  });
  return {
    identity: async (id) => reading(() => people.byId(id)),
    identities: async ({ limit, before = newest }) =>
      reading(() => pageOf(statements.identities.all({ before, limit: limit + 1 }), limit)),
    fileIdentities: async () => reading(() => statements.ofFile.all()),
    groupNames: async (keeper) =>
      reading(() => statements.groupNames.all({ keeper }).map((row) => row.groupName)),
    identityByLink: async (account) => reading(() => statements.ofLink.get({ name: linkName(account) })),
    people: async (query) =>
      reading(() => {
        const ids = idsOf(query);
        return namesIdsAlone(query)
          ? people.withManagers(ids)
          : statements.people.all({ ...listsOf(query), ids: listText(ids) });
      }),
    key: async (id) => reading(() => statements.key.get({ id })),
    keyByHash: async (hash) => reading(() => keyByHash(hash)),
    keys: async ({ limit, before = newest }) =>
      reading(() => pageOf(statements.keys.all({ before, limit: limit + 1 }), limit)),
    keysOf: async (identityId) => reading(() => statements.keysOf.all({ identityId })),
  };
}

/** Above every `ord`. */
const newest = Number.MAX_SAFE_INTEGER;

function pageOf<T>(rows: readonly { readonly ord: number; readonly value: T }[], limit: number): Page<T> {
  const shown = rows.slice(0, limit);
  return {
    rows: shown.map((row) => row.value),
    next: rows.length > limit ? (shown.at(-1)?.ord ?? null) : null,
  };
}

function idsOf({ ids, selectors }: DirectoryQuery): readonly IdentityId[] {
  const named = selectors.flatMap((one) =>
    (one.kind === "identity" || one.kind === "email") && one.id !== undefined ? [one.id] : [],
  );
  return [...new Set([...ids, ...named])];
}

/** Whether everybody who is meant is named by their id. */
function namesIdsAlone({ selectors, links = [] }: DirectoryQuery): boolean {
  return links.length === 0 && selectors.every((one) => !isSearchedFor(one));
}

/** Whether a list has to be searched for it; the others mean who is named anyway. */
function isSearchedFor(selector: Selector): boolean {
  return selector.kind === "group" || (selector.kind === "email" && selector.id === undefined);
}

function listsOf({
  selectors,
  links = [],
}: DirectoryQuery): Readonly<Record<"emails" | "groups" | "links", string>> {
  const textsOf = (pick: (selector: Selector) => string | undefined): readonly string[] => [
    ...new Set(selectors.flatMap((selector) => pick(selector) ?? [])),
  ];
  return {
    emails: listText(
      textsOf((one) => (one.kind === "email" && one.id === undefined ? one.email.toLowerCase() : undefined)),
    ),
    groups: listText(textsOf((one) => (one.kind === "group" ? one.group : undefined))),
    links: listText(links),
  };
}

/** Also for the test that looks at their query plans. */
export function prepareDirectoryReads(tables: Tables) {
  const { ord, id, value, version } = identities;
  const versioned = { value, version };
  const keyVersioned = { value: apiKeys.value, version: apiKeys.version };
  const limit = sql.placeholder("limit");
  return {
    identities: tables
      .select({ ord, value })
      .from(identities)
      .where(lt(ord, hole("before", ord)))
      .orderBy(desc(ord))
      .limit(limit)
      .prepare(),
    ofFile: tables
      .select(versioned)
      .from(identities)
      .where(eq(identities.managedBy, "file"))
      .orderBy(asc(ord))
      .prepare(),
    groupNames: tables
      .selectDistinct({ groupName: identityGroups.groupName })
      .from(identities)
      .innerJoin(identityGroups, eq(identityGroups.identityId, id))
      .where(eq(identities.managedBy, hole("keeper", identities.managedBy)))
      .prepare(),
    ofLink: tables
      .select(versioned)
      .from(identities)
      .innerJoin(uniqueNames, eq(uniqueNames.owner, id))
      .where(eq(uniqueNames.name, hole("name", uniqueNames.name)))
      .prepare(),
    people: tables
      .select(versioned)
      .from(identities)
      .where(inArray(ord, meantBy(tables)))
      .orderBy(asc(ord))
      .prepare(),
    key: tables
      .select(keyVersioned)
      .from(apiKeys)
      .where(eq(apiKeys.id, hole("id", apiKeys.id)))
      .prepare(),
    keyByHash: tables
      .select({ ...keyVersioned, identity: value })
      .from(apiKeys)
      .innerJoin(identities, eq(id, apiKeys.identityId))
      .where(eq(apiKeys.hash, hole("hash", apiKeys.hash)))
      // A living one before a deleted one with the same secret; the first is taken. A LIMIT would be planned each time.
      .orderBy(desc(isNull(apiKeys.deletedAt)), desc(apiKeys.ord))
      .prepare(),
    keys: tables
      .select({ ord: apiKeys.ord, value: apiKeys.value })
      .from(apiKeys)
      .where(and(isNull(apiKeys.deletedAt), lt(apiKeys.ord, hole("before", apiKeys.ord))))
      .orderBy(desc(apiKeys.ord))
      .limit(limit)
      .prepare(),
    keysOf: tables
      .select(keyVersioned)
      .from(apiKeys)
      .where(and(eq(apiKeys.identityId, hole("identityId", apiKeys.identityId)), isNull(apiKeys.deletedAt)))
      .orderBy(asc(apiKeys.ord))
      .prepare(),
  };
}

/** Those named, their managers, and everyone an address, a group or a link means. One index each, so a union and no OR. */
function meantBy(tables: Tables) {
  const { ord, id, email, managerId } = identities;
  const ids = listHole("ids");
  const managers = tables
    .select({ managerId })
    .from(identities)
    .where(sql`${id} IN ${ids}`);
  const members = tables
    .select({ identityId: identityGroups.identityId })
    .from(identityGroups)
    .where(sql`${identityGroups.groupName} IN ${listHole("groups")}`);
  const linked = tables
    .select({ owner: uniqueNames.owner })
    .from(uniqueNames)
    .where(sql`${uniqueNames.name} IN ${listHole("links")}`);
  const found = (which: ReturnType<typeof sql>) => tables.select({ ord }).from(identities).where(which);
  return unionAll(
    found(sql`${id} IN ${ids}`),
    found(sql`${id} IN ${managers}`),
    found(sql`${id} IN ${members}`),
    found(sql`${email} IN ${listHole("emails")}`),
    found(sql`${id} IN ${linked}`),
  );
}
