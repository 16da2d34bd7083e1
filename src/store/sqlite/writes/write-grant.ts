import { assert } from "../../../core/values/assert.ts";
import { grantLapsesAt, hasStarted, type Grant, type StartedGrant } from "../../../core/access/grant.ts";
import type { CredentialId, Instant } from "../../../core/values/ids.ts";
import { and, eq, isNull, ne } from "drizzle-orm";
import { prepareActiveGrantCount } from "./count-active-grants.ts";
import { credentials, grants, grantScopes } from "../tables/schema.ts";
import { prepareReturning, prepareWrite } from "../tables/prepare-write.ts";
import { placeholder, type Tables } from "../tables/placeholders.ts";
import { prepareTargetWrites } from "./write-targets.ts";

/** The number of a grant's row, as the driver says it. */
type GrantOrd = number | bigint;

/** Writes grants and, with them, which credential is the living one and what may be at which target. */
export function prepareGrantWrites(tables: Tables) {
  const statements = prepareStatements(tables);
  const targets = prepareTargetWrites(tables);
  const countActive = prepareActiveGrantCount(tables);

  const started = (grant: StartedGrant): void => {
    for (const scope of new Set(grant.scopes)) {
      const { id: grantId, requestId, subjectId, startedAt, breakGlass } = grant;
      statements.addStart.run({ grantId, requestId, subjectId, scope, startedAt, breakGlass });
    }
  };

  const issue = (grant: StartedGrant, grantOrd: GrantOrd): void => {
    const { credential, scopes, startedAt, breakGlass } = grant;
    const scope = scopes.join(" ");
    statements.issue.run({ ...credential, grantOrd, current: true, scope, startedAt, breakGlass });
  };

  /** A start brings its first credential; later only a rotation retires one, and only then is there another to issue. */
  const follow = (grant: StartedGrant, grantOrd: GrantOrd): void => {
    const { id } = grant.credential;
    if (statements.retire.run({ grantOrd, id }).changes > 0) return issue(grant, grantOrd);
    if (grant.targets.length === 0 || statements.hasCredential.get({ grantOrd }) !== undefined) return;
    started(grant);
    issue(grant, grantOrd);
  };

  return {
    write: (grant: Grant, version: number): undefined => {
      const { id, requestId, subjectId, phase } = grant;
      const row = { id, version, value: grant, requestId, subjectId, phase, expiresAt: grantLapsesAt(grant) };
      countActive(grant);
      if (version === 1) {
        const { lastInsertRowid } = statements.insert.run(row);
        if (hasStarted(grant)) {
          started(grant);
          issue(grant, lastInsertRowid);
        }
      } else {
        const ord = statements.update.get(row);
        assert(ord !== undefined, `the row of ${id} is there`);
        if (hasStarted(grant)) follow(grant, ord);
      }
      targets.put(grant);
    },

    /** Kept at the first use; a later one changes nothing. */
    firstUsed: (id: CredentialId, at: Instant): undefined => {
      statements.firstUsed.run({ id, at });
    },
  };
}

function prepareStatements(tables: Tables) {
  const changing = {
    version: placeholder("version", grants.version),
    phase: placeholder("phase", grants.phase),
    expiresAt: placeholder("expiresAt", grants.expiresAt),
    value: placeholder("value", grants.value),
  };
  const id = placeholder("id", grants.id);
  const grantId = placeholder("grantId", grantScopes.grantId);
  const grantOrd = placeholder("grantOrd", credentials.grantOrd);
  const requestId = placeholder("requestId", grants.requestId);
  const subjectId = placeholder("subjectId", grants.subjectId);
  return {
    insert: prepareWrite(tables, tables.insert(grants).values({ id, requestId, subjectId, ...changing })),
    update: prepareReturning<number>(
      tables,
      tables.update(grants).set(changing).where(eq(grants.id, id)).returning({ ord: grants.ord }),
    ),
    addStart: prepareWrite(
      tables,
      tables.insert(grantScopes).values({
        grantId,
        requestId,
        subjectId,
        scope: placeholder("scope", grantScopes.scope),
        startedAt: placeholder("startedAt", grantScopes.startedAt),
        breakGlass: placeholder("breakGlass", grantScopes.breakGlass),
      }),
    ),
    issue: prepareWrite(
      tables,
      tables.insert(credentials).values({
        id,
        grantOrd,
        hash: placeholder("hash", credentials.hash),
        last4: placeholder("last4", credentials.last4),
        issuedAt: placeholder("issuedAt", credentials.issuedAt),
        current: placeholder("current", credentials.current),
        scope: placeholder("scope", credentials.scope),
        startedAt: placeholder("startedAt", credentials.startedAt),
        breakGlass: placeholder("breakGlass", credentials.breakGlass),
      }),
    ),
    retire: prepareWrite(
      tables,
      tables
        .update(credentials)
        .set({ current: false })
        .where(
          and(eq(credentials.grantOrd, grantOrd), ne(credentials.id, id), eq(credentials.current, true)),
        ),
    ),
    hasCredential: tables
      .select({ id: credentials.id })
      .from(credentials)
      .where(eq(credentials.grantOrd, grantOrd))
      .prepare(),
    firstUsed: prepareWrite(
      tables,
      tables
        .update(credentials)
        .set({ firstUsedAt: placeholder("at", credentials.firstUsedAt) })
        .where(and(eq(credentials.id, id), isNull(credentials.firstUsedAt))),
    ),
  };
}
