import type { IdentityId } from "../../../core/values/ids.ts";
import { linkName, type DirectoryQuery, type Selector } from "../../../core/values/identity.ts";
import type { Reads } from "../../../service/ports/store.ts";
import { asc, desc, eq, inArray, lt, sql } from "drizzle-orm";
import { unionAll } from "drizzle-orm/sqlite-core";
import type { CachedIdentities } from "./cached-identities.ts";
import { identities, identityGroups } from "../tables/identities.ts";
import { uniqueNames } from "../tables/unique-names.ts";
import type { Db } from "../tables/database.ts";
import { jsonList, listPlaceholder } from "../tables/placeholders.ts";
import { newest, pageByOrd } from "./page-by-ord.ts";

type IdentityReads = Pick<
  Reads,
  "identity" | "identities" | "fileIdentities" | "groupNames" | "identityByLink" | "people"
>;

/** People and programs. */
export function createIdentityReads(db: Db, people: CachedIdentities): IdentityReads {
  const statements = prepareIdentityReads(db);
  return {
    identity: async (id) => people.byId(id),
    identities: async ({ limit, before = newest }) =>
      pageByOrd(statements.identities.all({ before, limit: limit + 1 }), limit),
    fileIdentities: async () => statements.ofFile.all(),
    groupNames: async (keeper) => statements.groupNames.all({ keeper }).map((row) => row.groupName),
    identityByLink: async (account) => statements.ofLink.get({ name: linkName(account) }),
    people: async (query) => {
      const ids = idsOf(query);
      return hasOnlyIds(query)
        ? people.withManagers(ids)
        : statements.people.all({ ...listsOf(query), ids: jsonList(ids) });
    },
  };
}

function idsOf({ ids, selectors }: DirectoryQuery): readonly IdentityId[] {
  const named = selectors.flatMap((one) =>
    (one.kind === "identity" || one.kind === "email") && one.id !== undefined ? [one.id] : [],
  );
  return [...new Set([...ids, ...named])];
}

/** Whether the query names everybody by id, so that the cache can answer. */
function hasOnlyIds({ selectors, links = [] }: DirectoryQuery): boolean {
  return links.length === 0 && selectors.every((one) => !isSearchedFor(one));
}

/** Whether a list must be searched for this selector; the others name somebody directly. */
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

/** Also for the test of their query plans. */
export function prepareIdentityReads(db: Db) {
  const { ord, id, value, version } = identities;
  const versioned = { value, version };
  const limit = sql.placeholder("limit");
  return {
    identities: db
      .select({ ord, value })
      .from(identities)
      .where(lt(ord, sql.placeholder("before")))
      .orderBy(desc(ord))
      .limit(limit)
      .prepare(),
    ofFile: db
      .select(versioned)
      .from(identities)
      .where(eq(identities.managedBy, "file"))
      .orderBy(asc(ord))
      .prepare(),
    groupNames: db
      .selectDistinct({ groupName: identityGroups.groupName })
      .from(identities)
      .innerJoin(identityGroups, eq(identityGroups.identityId, id))
      .where(eq(identities.managedBy, sql.placeholder("keeper")))
      .prepare(),
    ofLink: db
      .select(versioned)
      .from(identities)
      .innerJoin(uniqueNames, eq(uniqueNames.owner, id))
      .where(eq(uniqueNames.name, sql.placeholder("name")))
      .prepare(),
    people: db
      .select(versioned)
      .from(identities)
      .where(inArray(ord, meantBy(db)))
      .orderBy(asc(ord))
      .prepare(),
  };
}

/** Everyone named, their managers, and everyone an address, a group or a link means: a union, so that each part uses its index. */
function meantBy(db: Db) {
  const { ord, id, email, managerId } = identities;
  const ids = listPlaceholder("ids");
  const managers = db
    .select({ managerId })
    .from(identities)
    .where(sql`${id} IN ${ids}`);
  const members = db
    .select({ identityId: identityGroups.identityId })
    .from(identityGroups)
    .where(sql`${identityGroups.groupName} IN ${listPlaceholder("groups")}`);
  const linked = db
    .select({ owner: uniqueNames.owner })
    .from(uniqueNames)
    .where(sql`${uniqueNames.name} IN ${listPlaceholder("links")}`);
  const found = (which: ReturnType<typeof sql>) => db.select({ ord }).from(identities).where(which);
  return unionAll(
    found(sql`${id} IN ${ids}`),
    found(sql`${id} IN ${managers}`),
    found(sql`${id} IN ${members}`),
    found(sql`${email} IN ${listPlaceholder("emails")}`),
    found(sql`${id} IN ${linked}`),
  );
}
