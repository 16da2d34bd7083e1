import { setTimeout as pause } from "node:timers/promises";
import { ConnectorFault } from "../service/connector.ts";
import type { Owner } from "./label.ts";
import { inTransaction, type PostgresServer, type Sql } from "./postgres-database.ts";
import { findRole, lockRoles, serverVersion, statements } from "./postgres-roles.ts";

const sessionsEndWithinMs = 8_000;
const pollMs = 50;
/** Who holds a lock on a table of the role must not hold up the others that wait to be taken back. */
const lockTimeout = "SET lock_timeout = '5s'";

/**
 * Takes the role away, in this order: nobody comes in any more; who is in is thrown out, for neither NOLOGIN nor DROP
 * ROLE ends a session; what it owns goes to a role without rights; then it can be dropped. Each step may have been
 * done before.
 */
export async function takeBackRole(
  server: PostgresServer,
  owner: Owner,
  role: string,
  leftoversOwner: string,
  signal: AbortSignal,
): Promise<void> {
  const closed = await server.use(signal, async (sql) => {
    const found = await close(sql, owner, role);
    if (found === undefined) return undefined;
    await endSessions(sql, owner, found.oid);
    const databases = await databasesOf(sql, found.oid);
    const prepared = await sql.query<{ gid: string; database: string }>(
      "SELECT gid, database::text FROM pg_prepared_xacts WHERE owner = $1",
      [role],
    );
    if (databases.some(({ owns }) => owns)) await ensureOwner(sql, leftoversOwner);
    return { oid: found.oid, groups: found.label.given ?? [], databases, prepared };
  });
  if (closed === undefined) return;
  for (const { gid, database } of closed.prepared) {
    await server.useIn(database, signal, (sql) => rollBackPrepared(sql, role, gid));
  }
  let held: Error | undefined;
  for (const database of closed.databases) {
    const leftovers = database.owns ? { owner: leftoversOwner, groups: closed.groups } : undefined;
    const work = (sql: Sql): Promise<void> => emptyHands(sql, role, leftovers);
    try {
      await (database.isHere ? server.use(signal, work) : server.useIn(database.name, signal, work));
    } catch (error) {
      // Something locked in one database leaves nothing behind in the others. What only others may take is named below.
      const isOthers = error instanceof ConnectorFault && error.code === "not_permitted";
      if (!isOthers) held ??= error instanceof Error ? error : new Error("not emptied", { cause: error });
    }
  }
  if (held !== undefined) throw held;
  await server.use(signal, async (sql) => {
    await inTransaction(sql, async () => {
      await lockRoles(sql);
      if ((await findRole(sql, owner, role)) !== undefined) await drop(sql, owner, role);
    });
    // One that was just logging in when the door was closed.
    await endSessions(sql, owner, closed.oid);
  });
}

async function close(sql: Sql, owner: Owner, role: string) {
  return inTransaction(sql, async () => {
    await lockRoles(sql);
    const found = await findRole(sql, owner, role);
    if (found === undefined) return undefined;
    await sql.query(statements.close(role));
    await leaveGroups(sql, role);
    await sql.query(statements.join(role, await serverVersion(sql)));
    return found;
  });
}

/**
 * Out of its groups at once, not only when it is dropped: views and functions it has left read with its rights, whether
 * or not it may log in, and what owns them may be locked by somebody for as long as they like.
 */
async function leaveGroups(sql: Sql, role: string): Promise<void> {
  const groups = await sql.query<{ name: string }>(
    `SELECT DISTINCT g.rolname::text AS name FROM pg_auth_members m
       JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
      WHERE u.rolname = $1 ORDER BY 1`,
    [role],
  );
  for (const { name } of groups) {
    // One that somebody else has put it into may not be ours to take away; that must not keep the door open.
    await sql.query("SAVEPOINT leaving");
    try {
      await sql.query(statements.removeFrom(name, role));
    } catch {
      await sql.query("ROLLBACK TO SAVEPOINT leaving");
    }
    await sql.query("RELEASE SAVEPOINT leaving");
  }
}

/** Ends all sessions of a role, by its number: it counts whoever logged in as the role, whatever they became since. */
export async function endSessions(sql: Sql, owner: Owner, oid: number): Promise<void> {
  const deadline = performance.now() + sessionsEndWithinMs;
  for (;;) {
    const ended = await sql.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = $1::int8::oid",
      [oid],
    );
    if (ended.length === 0) return;
    if (performance.now() > deadline) {
      throw new ConnectorFault("timeout", `${owner.connector}: ${ended.length} sessions do not end.`, {
        retryable: true,
      });
    }
    await pause(pollMs);
  }
}

interface DatabaseOfRole {
  readonly name: string;
  readonly isHere: boolean;
  /** Whether the role owns anything in it; otherwise it only has rights there. */
  readonly owns: boolean;
}

/** Where the role owns or may do something. What belongs to the whole server counts as here. */
async function databasesOf(sql: Sql, oid: number): Promise<readonly DatabaseOfRole[]> {
  return sql.query<{ name: string; isHere: boolean; owns: boolean }>(
    `SELECT d.datname::text AS name, d.datname = current_database() AS "isHere", bool_or(s.deptype = 'o') AS owns
       FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid OR (s.dbid = 0 AND d.datname = current_database())
      WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::int8::oid
      GROUP BY d.datname ORDER BY 2, 1`,
    [oid],
  );
}

/**
 * What the role has written may be code: functions that run with their owner's rights, views, expressions in indexes.
 * It must not get the broker's rights by being given to the broker, so it goes to a role that has none.
 */
async function ensureOwner(sql: Sql, leftoversOwner: string): Promise<void> {
  await inTransaction(sql, async () => {
    await lockRoles(sql);
    const [row] = await sql.query<{ usable: boolean }>(
      "SELECT pg_has_role(current_user, oid, 'USAGE') AS usable FROM pg_roles WHERE rolname = $1",
      [leftoversOwner],
    );
    if (row?.usable === true) return;
    if (row === undefined) await sql.query(statements.createOwner(leftoversOwner));
    await sql.query(statements.join(leftoversOwner, await serverVersion(sql)));
  });
}

async function emptyHands(sql: Sql, role: string, leftovers: Leftovers | undefined): Promise<void> {
  await sql.query(lockTimeout);
  if (leftovers !== undefined) await giveAwayLargeObjects(sql, role, leftovers.owner);
  await inTransaction(sql, async () => {
    // Between two attempts it may have gone.
    const there = await sql.query("SELECT FROM pg_roles WHERE rolname = $1", [role]);
    if (there.length === 0) return;
    if (leftovers !== undefined) await reassign(sql, role, leftovers);
    await sql.query(statements.dropOwned(role));
  });
  await sql.query("RESET lock_timeout");
}

/** Far less than the locks a server holds at once by default, 6,400. */
const largeObjectsAtOnce = 1_000;

/**
 * A role can make millions of them in a minute, and each that changes hands is locked until the transaction ends. So they
 * go first and by and by: what has gone stays gone when the attempt runs out of time.
 */
async function giveAwayLargeObjects(sql: Sql, role: string, owner: string): Promise<void> {
  for (;;) {
    const found = await sql.query<{ oid: string }>(
      `SELECT l.oid::text FROM pg_largeobject_metadata l JOIN pg_roles r ON r.oid = l.lomowner
        WHERE r.rolname = $1 LIMIT $2`,
      [role, largeObjectsAtOnce],
    );
    if (found.length === 0) return;
    // Sent together, they are one transaction.
    await sql.query(found.map(({ oid }) => statements.giveLargeObject(oid, owner)).join(";\n"));
  }
}

interface Leftovers {
  readonly owner: string;
  /** The groups the role was given. */
  readonly groups: readonly string[];
}

/**
 * Functions and types go only to who may create such a thing in their schema. So the new owner is in the role's groups
 * until the transaction ends, which nobody outside of it ever sees.
 */
async function reassign(sql: Sql, role: string, { owner, groups }: Leftovers): Promise<void> {
  const lacking = await sql.query<{ group: string }>(
    `SELECT rolname::text AS "group" FROM pg_roles WHERE rolname = ANY($1) AND NOT pg_has_role($2, oid, 'USAGE')`,
    [groups, owner],
  );
  const version = await serverVersion(sql);
  for (const { group } of lacking) await sql.query(statements.addTo(group, owner, version));
  await sql.query(statements.reassign(role, owner));
  for (const { group } of lacking) await sql.query(statements.removeFrom(group, owner));
}

async function rollBackPrepared(sql: Sql, role: string, gid: string): Promise<void> {
  await sql.query(statements.become(role));
  await sql.query(statements.rollbackPrepared(gid));
}

/** A right somebody gave by hand can only be taken by them: the role is dead, but it cannot go. */
async function drop(sql: Sql, owner: Owner, role: string): Promise<void> {
  const held = await sql.query<{ database: string | null }>(
    `SELECT DISTINCT d.datname::text AS database
       FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
      WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1)`,
    [role],
  );
  if (held.length > 0) {
    const places = held.map(({ database }) => database ?? "the whole server").join(", ");
    throw new ConnectorFault(
      "not_permitted",
      `${owner.connector}: ${role} is locked out, but others gave it rights in ${places} that only they can take: let them run there DROP OWNED BY ${role}`,
      { retryable: false },
    );
  }
  await sql.query(statements.drop(role));
}
