import { and, eq, isNull, ne, sql } from "drizzle-orm";
import type { StartedGrant } from "../../../core/access/grant.ts";
import type { CredentialId, Instant } from "../../../core/values/ids.ts";
import { credentials } from "../tables/credentials.ts";
import type { Db } from "../tables/database.ts";
import { placeholder, placeholdersFor, type NewRow } from "../tables/placeholders.ts";

/** Keeps one current credential for each grant that has started. */
export function prepareCredentialWrites(db: Db) {
  const { grantOrd, id, current, firstUsedAt } = credentials;
  const isOfGrant = eq(grantOrd, sql.placeholder("grantOrd"));
  const insert = db.insert(credentials).values(placeholdersFor(credentials)).prepare();
  const retireOthers = db
    .update(credentials)
    .set({ current: false })
    .where(and(isOfGrant, ne(id, sql.placeholder("id")), eq(current, true)))
    .prepare();
  const any = db.select({ id }).from(credentials).where(isOfGrant).limit(1).prepare();
  const setFirstUsed = db
    .update(credentials)
    .set({ firstUsedAt: placeholder("at", firstUsedAt) })
    .where(and(eq(id, sql.placeholder("id")), isNull(firstUsedAt)))
    .prepare();
  return {
    issue: (grant: StartedGrant, ord: number): void => void insert.run(rowOf(grant, ord)),
    /** @returns whether another credential of the grant was current. */
    retireOthers: (grant: StartedGrant, ord: number): boolean =>
      retireOthers.run({ grantOrd: ord, id: grant.credential.id }).changes > 0,
    hasAny: (ord: number): boolean => any.get({ grantOrd: ord }) !== undefined,
    /** Keeps the first use; a later one changes nothing. */
    firstUsed: (credentialId: CredentialId, at: Instant): void =>
      void setFirstUsed.run({ id: credentialId, at }),
  };
}

function rowOf(grant: StartedGrant, grantOrd: number): NewRow<typeof credentials> {
  const { scopes, startedAt, breakGlass } = grant;
  const { id, hash, last4, issuedAt } = grant.credential;
  return {
    id,
    grantOrd,
    hash,
    last4,
    issuedAt,
    current: true,
    firstUsedAt: null,
    scope: scopes.join(" "),
    startedAt,
    breakGlass,
  };
}
