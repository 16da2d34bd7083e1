import type { IdentityId } from "../../../core/values/ids.ts";
import { linkName, type DirectoryQuery, type Selector } from "../../../core/values/identity.ts";
import type { Page, Reads } from "../../../service/ports/store.ts";
import { and, asc, desc, eq, inArray, isNull, lt, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/sqlite-core";
import { translateErrors } from "../tables/sqlite-faults.ts";
import type { CachedIdentities } from "./cached-identities.ts";
import { apiKeys, identities, identityGroups, uniqueNames } from "../tables/schema.ts";
import type { ReadCache } from "../../shared/read-cache.ts";
import { placeholder, listPlaceholder, jsonList, type Tables } from "../tables/placeholders.ts";

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
  people: CachedIdentities,
  readCache: ReadCache,
): DirectoryReads {
  const statements = prepareDirectoryReads(tables);
  // Asked at every call: mostly about a few keys, which hardly ever change.
  const keyByHash = readCache.cached("directory", (hash) => {
    const row = statements.keyByHash.get({ hash });
    return row === undefined
      ? undefined
      : { key: { value: row.value, version: row.version }, identity: row.identity };
  });
  return {
    identity: async (id) => translateErrors(() => people.byId(id)),
    identities: async ({ limit, before = newest }) =>
      translateErrors(() => pageOf(statements.identities.all({ before, limit: limit + 1 }), limit)),
    fileIdentities: async () => translateErrors(() => statements.ofFile.all()),
    groupNames: async (keeper) =>
      translateErrors(() => statements.groupNames.all({ keeper }).map((row) => row.groupName)),
    identityByLink: async (account) =>
      translateErrors(() => statements.ofLink.get({ name: linkName(account) })),
    people: async (query) =>
      translateErrors(() => {
        const ids = idsOf(query);
        return namesIdsAlone(query)
          ? people.withManagers(ids)
          : statements.people.all({ ...listsOf(query), ids: jsonList(ids) });
      }),
    key: async (id) => translateErrors(() => statements.key.get({ id })),
    keyByHash: async (hash) => translateErrors(() => keyByHash(hash)),
    keys: async ({ limit, before = newest }) =>
      translateErrors(() => pageOf(statements.keys.all({ before, limit: limit + 1 }), limit)),
    keysOf: async (identityId) => translateErrors(() => statements.keysOf.all({ identityId })),
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
    emails: jsonList(
      textsOf((one) => (one.kind === "email" && one.id === undefined ? one.email.toLowerCase() : undefined)),
    ),
    groups: jsonList(textsOf((one) => (one.kind === "group" ? one.group : undefined))),
    links: jsonList(links),
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
      .where(lt(ord, placeholder("before", ord)))
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
      .where(eq(identities.managedBy, placeholder("keeper", identities.managedBy)))
      .prepare(),
    ofLink: tables
      .select(versioned)
      .from(identities)
      .innerJoin(uniqueNames, eq(uniqueNames.owner, id))
      .where(eq(uniqueNames.name, placeholder("name", uniqueNames.name)))
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
      .where(eq(apiKeys.id, placeholder("id", apiKeys.id)))
      .prepare(),
    keyByHash: tables
      .select({ ...keyVersioned, identity: value })
      .from(apiKeys)
      .innerJoin(identities, eq(id, apiKeys.identityId))
      .where(eq(apiKeys.hash, placeholder("hash", apiKeys.hash)))
      // A living one before a deleted one with the same secret; the first is taken. A LIMIT would be planned each time.
      .orderBy(desc(isNull(apiKeys.deletedAt)), desc(apiKeys.ord))
      .prepare(),
    keys: tables
      .select({ ord: apiKeys.ord, value: apiKeys.value })
      .from(apiKeys)
      .where(and(isNull(apiKeys.deletedAt), lt(apiKeys.ord, placeholder("before", apiKeys.ord))))
      .orderBy(desc(apiKeys.ord))
      .limit(limit)
      .prepare(),
    keysOf: tables
      .select(keyVersioned)
      .from(apiKeys)
      .where(
        and(eq(apiKeys.identityId, placeholder("identityId", apiKeys.identityId)), isNull(apiKeys.deletedAt)),
      )
      .orderBy(asc(apiKeys.ord))
      .prepare(),
  };
}

/** Those named, their managers, and everyone an address, a group or a link means. One index each, so a union and no OR. */
function meantBy(tables: Tables) {
  const { ord, id, email, managerId } = identities;
  const ids = listPlaceholder("ids");
  const managers = tables
    .select({ managerId })
    .from(identities)
    .where(sql`${id} IN ${ids}`);
  const members = tables
    .select({ identityId: identityGroups.identityId })
    .from(identityGroups)
    .where(sql`${identityGroups.groupName} IN ${listPlaceholder("groups")}`);
  const linked = tables
    .select({ owner: uniqueNames.owner })
    .from(uniqueNames)
    .where(sql`${uniqueNames.name} IN ${listPlaceholder("links")}`);
  const found = (which: ReturnType<typeof sql>) => tables.select({ ord }).from(identities).where(which);
  return unionAll(
    found(sql`${id} IN ${ids}`),
    found(sql`${id} IN ${managers}`),
    found(sql`${id} IN ${members}`),
    found(sql`${email} IN ${listPlaceholder("emails")}`),
    found(sql`${id} IN ${linked}`),
  );
}
