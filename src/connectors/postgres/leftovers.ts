import { DatabaseError } from "pg";
import { inTransaction, type Sql } from "./server.ts";
import { serverVersion, statements } from "./roles.ts";

/**
 * While ownership changes, the new owner is in the role's groups, and the server locks a group for that. Claims need the
 * same lock, so what is locked by others is not waited for.
 */
const objectLockTimeoutMs = 300;
/** For locks that only our own transactions hold, and shortly. */
const groupLockTimeoutMs = 2_000;
/** Far less than the locks a server holds at once by default, 6,400. */
const objectsAtOnce = 500;
/** So many objects are named in the record; the others are counted. */
const namedMax = 10;

/** Who gets what a role owned. */
export interface Leftovers {
  readonly owner: string;
  /** The groups the role was given. */
  readonly groups: readonly string[];
}

/**
 * What the role has written may be code: functions that run with their owner's rights, views, expressions in indexes.
 * It must not get the broker's rights by being given to the broker, so it goes to a role that has none.
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
 * Takes everything away from the role in the database `sql` is connected to. Answers what stays there, in sentences.
 *
 * @param leftovers Absent: the role owns nothing here, it only has rights.
 */
export async function emptyDatabase(
  sql: Sql,
  role: { readonly oid: number; readonly name: string },
  leftovers: Leftovers | undefined,
): Promise<readonly string[]> {
  const given = leftovers === undefined ? [] : await giveAway(sql, role.oid, leftovers);
  await inTransaction(sql, objectLockTimeoutMs, async () => {
    // Between two attempts it may have gone.
    const there = await sql.query("SELECT FROM pg_roles WHERE oid = $1::int8::oid", [role.oid]);
    if (there.length === 0) return;
    if (leftovers !== undefined) {
      await inGroups(sql, leftovers, () => sql.query(statements.reassign(role.name, leftovers.owner)));
    }
    await sql.query(statements.dropOwned(role.name));
  });
  if (leftovers === undefined || given.length === 0) return [];
  const [here] = await sql.query<{ database: string }>("SELECT current_database()::text AS database");
  const more = given.length > namedMax ? ` and ${given.length - namedMax} more` : "";
  return [
    `In ${here?.database ?? "a database"}: ${given.slice(0, namedMax).join(", ")}${more}, now owned by ${leftovers.owner}.`,
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
  // ALTER AGGREGATE wants `(*)` for one without arguments, which the identity does not say; ROUTINE takes any.
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

/** A sequence that belongs to a column changes hands with its table, and only so. */
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
 * A role can make thousands of objects in a minute, and each that changes hands is locked until the transaction ends. So
 * they go in batches: what has gone stays gone when the attempt runs out of time. What is of no such kind is left to
 * REASSIGN OWNED. Answers what was given away.
 */
async function giveAway(sql: Sql, oid: number, leftovers: Leftovers): Promise<readonly string[]> {
  const given: string[] = [];
  for (;;) {
    const batch = await sql.query<{ type: string; identity: string }>(owned, [
      oid,
      [...kinds.keys()],
      objectsAtOnce,
    ]);
    if (batch.length === 0) return given;
    const changes = batch.map(({ type, identity }) =>
      statements.giveObject(kinds.get(type) ?? type, identity, leftovers.owner),
    );
    try {
      await inTransaction(sql, objectLockTimeoutMs, () =>
        inGroups(sql, leftovers, () => sql.query(changes.join(";\n"))),
      );
    } catch (error) {
      // A name that ALTER does not take as it is, such as one that two procedures share. REASSIGN OWNED needs no names.
      if (isOfStatement(error)) return [...given, ...batch.map(describeObject)];
      throw error;
    }
    given.push(...batch.map(describeObject));
  }
}

function describeObject({ type, identity }: { readonly type: string; readonly identity: string }): string {
  return `${type} ${identity}`;
}

/** Syntax errors, and names that fit nothing or several; not a right that is lacking. */
function isOfStatement(error: unknown): boolean {
  return error instanceof DatabaseError && /^(42(?!501)|0A)/.test(error.code ?? "");
}

/**
 * Functions and types go only to who may create such a thing in their schema. So the new owner is in the role's groups
 * until the transaction ends, which nobody outside of it ever sees.
 */
async function inGroups(sql: Sql, { owner, groups }: Leftovers, work: () => Promise<unknown>): Promise<void> {
  const lacking = await sql.query<{ group: string }>(
    `SELECT rolname::text AS "group" FROM pg_roles WHERE rolname = ANY($1) AND NOT pg_has_role($2, oid, 'USAGE')
      ORDER BY 1`,
    [groups, owner],
  );
  const version = await serverVersion(sql);
  await sql.query(`SET LOCAL lock_timeout = ${groupLockTimeoutMs}`);
  for (const { group } of lacking) await sql.query(statements.addTo(group, owner, version));
  await sql.query(`SET LOCAL lock_timeout = ${objectLockTimeoutMs}`);
  await work();
  for (const { group } of lacking) await sql.query(statements.removeFrom(group, owner));
}
