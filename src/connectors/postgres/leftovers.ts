import { DatabaseError } from "pg";
import { inTransaction, type Sql } from "./server.ts";
import { serverVersion, statements } from "./roles.ts";

/**
 * While ownership changes, the new owner is a member of the role's groups, which locks the groups. Claims need the same
 * lock, so the wait for locked objects is short.
 */
const objectLockTimeoutMs = 300;
/** For locks that only our own transactions hold, and only briefly. */
const groupLockTimeoutMs = 2_000;
/** Far below the default lock limit of a server, 6,400. */
const objectsPerBatch = 500;
/** How many objects the record names; the others are counted. */
const namedMax = 10;

/** The new owner of what a role owned. */
export interface Leftovers {
  readonly owner: string;
  /** The groups that the role was added to. */
  readonly groups: readonly string[];
}

/**
 * Creates the role that gets leftovers, if it is missing. They may contain code: functions that run with the rights of
 * their owner, views, index expressions. So the new owner is a role without rights, and never the broker.
 */
export async function ensureLeftoversOwner(sql: Sql, leftoversOwner: string): Promise<void> {
  await inTransaction(sql, groupLockTimeoutMs, async () => {
    const [row] = await sql.query<{ usable: boolean }>(
      "SELECT pg_has_role(current_user, oid, 'USAGE') AS usable FROM pg_roles WHERE rolname = $1",
      [leftoversOwner],
    );
    if (row?.usable === true) return;
    if (row === undefined) await sql.query(statements.createGroup(leftoversOwner));
    await sql.query(statements.join(leftoversOwner, await serverVersion(sql)));
  });
}

/**
 * Removes all rights and ownership of the role in the database of this connection.
 *
 * @param leftovers Absent: the role owns nothing here, it only has rights.
 * @returns sentences about the objects that stay.
 */
export async function emptyDatabase(
  sql: Sql,
  role: { readonly oid: number; readonly name: string },
  leftovers: Leftovers | undefined,
): Promise<readonly string[]> {
  const reassigned = leftovers === undefined ? [] : await reassignObjects(sql, role.oid, leftovers);
  await inTransaction(sql, objectLockTimeoutMs, async () => {
    // It may be gone since an earlier attempt.
    const existing = await sql.query("SELECT FROM pg_roles WHERE oid = $1::int8::oid", [role.oid]);
    if (existing.length === 0) return;
    if (leftovers !== undefined) {
      await asGroupMember(sql, leftovers, () => sql.query(statements.reassign(role.name, leftovers.owner)));
    }
    await sql.query(statements.dropOwned(role.name));
  });
  if (leftovers === undefined || reassigned.length === 0) return [];
  const [here] = await sql.query<{ database: string }>("SELECT current_database()::text AS database");
  const more = reassigned.length > namedMax ? ` and ${reassigned.length - namedMax} more` : "";
  return [
    `In ${here?.database ?? "a database"}: ${reassigned.slice(0, namedMax).join(", ")}${more}, now owned by ${leftovers.owner}.`,
  ];
}

/** How each kind of object that can be there in great numbers is called in ALTER … OWNER TO. */
const kinds = new Map([
  ["table", "TABLE"],
  ["view", "VIEW"],
  ["materialized view", "MATERIALIZED VIEW"],
  ["foreign table", "FOREIGN TABLE"],
  ["sequence", "SEQUENCE"],
  ["function", "FUNCTION"],
  ["procedure", "PROCEDURE"],
  // ALTER AGGREGATE needs `(*)` for one without arguments, which the identity lacks; ROUTINE accepts any.
  ["aggregate", "ROUTINE"],
  ["type", "TYPE"],
  ["schema", "SCHEMA"],
  ["collation", "COLLATION"],
  ["conversion", "CONVERSION"],
  ["operator", "OPERATOR"],
  ["operator class", "OPERATOR CLASS"],
  ["operator family", "OPERATOR FAMILY"],
  ["statistics object", "STATISTICS"],
  ["text search configuration", "TEXT SEARCH CONFIGURATION"],
  ["text search dictionary", "TEXT SEARCH DICTIONARY"],
  ["large object", "LARGE OBJECT"],
]);

/** Without sequences of columns, which can only change their owner together with their table. */
const owned = `
  SELECT i.type, i.identity
    FROM pg_shdepend s, LATERAL pg_identify_object(s.classid, s.objid, 0) i
   WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::int8::oid AND s.deptype = 'o'
     AND s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
     AND i.type = ANY($2)
     AND NOT (i.type = 'sequence' AND EXISTS (
           SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = s.objid AND d.deptype IN ('a', 'i')
              AND d.refclassid = 'pg_class'::regclass))
   LIMIT $3`;

/**
 * Gives objects to the new owner in batches: a role can create thousands in a minute, each is locked until its
 * transaction ends, and finished batches remain when the attempt times out. REASSIGN OWNED handles the other kinds.
 *
 * @returns the objects that were given away.
 */
async function reassignObjects(sql: Sql, oid: number, leftovers: Leftovers): Promise<readonly string[]> {
  const reassigned: string[] = [];
  for (;;) {
    const batch = await sql.query<{ type: string; identity: string }>(owned, [
      oid,
      [...kinds.keys()],
      objectsPerBatch,
    ]);
    if (batch.length === 0) return reassigned;
    const changes = batch.map(({ type, identity }) =>
      statements.giveObject(kinds.get(type) ?? type, identity, leftovers.owner),
    );
    try {
      await inTransaction(sql, objectLockTimeoutMs, () =>
        asGroupMember(sql, leftovers, () => sql.query(changes.join(";\n"))),
      );
    } catch (error) {
      // ALTER cannot use the name, for example when two procedures share it. REASSIGN OWNED needs no names.
      if (isStatementError(error)) return [...reassigned, ...batch.map(describeObject)];
      throw error;
    }
    reassigned.push(...batch.map(describeObject));
  }
}

function describeObject({ type, identity }: { readonly type: string; readonly identity: string }): string {
  return `${type} ${identity}`;
}

/** Syntax errors and names that match no object or several, but not missing rights. */
function isStatementError(error: unknown): boolean {
  return error instanceof DatabaseError && /^(42(?!501)|0A)/.test(error.code ?? "");
}

/**
 * Runs `work` while the new owner is a member of the role's groups: functions and types can only be given to a role
 * that may create them in their schema. The membership ends with the transaction, so nobody else ever sees it.
 */
async function asGroupMember(
  sql: Sql,
  { owner, groups }: Leftovers,
  work: () => Promise<unknown>,
): Promise<void> {
  const missing = await sql.query<{ group: string }>(
    `SELECT rolname::text AS "group" FROM pg_roles WHERE rolname = ANY($1) AND NOT pg_has_role($2, oid, 'USAGE')
      ORDER BY 1`,
    [groups, owner],
  );
  const version = await serverVersion(sql);
  await sql.query(`SET LOCAL lock_timeout = ${groupLockTimeoutMs}`);
  for (const { group } of missing) await sql.query(statements.addTo(group, owner, version));
  await sql.query(`SET LOCAL lock_timeout = ${objectLockTimeoutMs}`);
  await work();
  for (const { group } of missing) await sql.query(statements.removeFrom(group, owner));
}
