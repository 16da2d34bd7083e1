import { ConnectorFault, type ObjectToTakeBack, type TakenBack } from "../../service/ports/connector.ts";
import type { Owner } from "../shared/label.ts";
import { inTransaction, type PostgresServer, type Sql } from "./server.ts";
import { emptyDatabase, ensureLeftoversOwner } from "./leftovers.ts";
import { becomeMember, endSessionsDuring, lockOut } from "./lock-out.ts";
import {
  findRoles,
  membershipOptionsSince,
  serverVersion,
  statements,
  type FoundRole,
  type FoundRoles,
} from "./roles.ts";
import { attempt, merged } from "./steps.ts";
import { rejectPrepared, rejectUnknownSessions } from "./reject-unproven.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** Honest use holds these locks only briefly. */
const lockTimeoutMs = 2_000;

/**
 * Takes the role away, in this order: no new logins; live sessions ended until there are none; what was made and given is
 * removed; the server's own listing is read again. A step goes on when an earlier one has failed, and none waits for a
 * lock without limit, because a granted role can hold most locks for as long as it is connected.
 */
export async function takeBackRole(
  server: PostgresServer,
  owner: Owner,
  wanted: ObjectToTakeBack,
  leftoversOwner: string,
  signal: AbortSignal,
): Promise<TakenBack> {
  const found = await server.use("take-backs", signal, (sql) => findRoles(sql, owner, wanted));
  try {
    return await takeBackFound({ server, owner, leftoversOwner, signal, left: [] }, found, wanted);
  } catch (error) {
    throw signal.aborted ? outOfTime(error) : error;
  }
}

/** The server has answered, so it is not down: others need not wait until this attempt gets through. */
function outOfTime(error: unknown): unknown {
  if (!(error instanceof ConnectorFault)) return error;
  return new ConnectorFault(error.code, error.message, { retryable: error.retryable, reason: error.reason });
}

async function takeBackFound(
  removal: Removal,
  { managed, untouchable }: FoundRoles,
  wanted: ObjectToTakeBack,
): Promise<TakenBack> {
  const { server, owner, signal, left } = removal;
  const oids = [...managed.map(({ oid }) => oid), ...(await droppedOid(server, wanted, signal))];
  const faults = [...(await lockOut(server, owner, { roles: managed, oids }, signal))];
  for (const role of managed) {
    if (faults.some(({ isTargetDown }) => isTargetDown)) break;
    faults.push(...(await removeRole(removal, role, wanted)));
  }
  // One that was just logging in when the login was blocked.
  const sessions = await endSessionsDuring(server, owner, oids, signal, async () => {});
  const unknown =
    oids.length > 0 ? undefined : await attempt(owner, () => rejectUnknownSessions(server, owner, signal));
  const after = await server.use("take-backs", signal, (sql) => findRoles(sql, owner, wanted));
  const isDropped = managed.length > 0 && after.managed.length === 0;
  const fault = merged([...(isDropped ? [] : faults), ...sessions, unknown, untouchable]);
  if (fault !== undefined) throw fault;
  return { left };
}

/** The sessions of a role that was dropped by hand go on. No other role gets its OID. */
async function droppedOid(
  server: PostgresServer,
  { identity }: ObjectToTakeBack,
  signal: AbortSignal,
): Promise<readonly number[]> {
  if (identity === undefined) return [];
  const oid = Number(identity.id);
  return (await isThere(server, oid, signal)) ? [] : [oid];
}

async function isThere(server: PostgresServer, oid: number, signal: AbortSignal): Promise<boolean> {
  const rows = await server.use("take-backs", signal, (sql) =>
    sql.query("SELECT FROM pg_roles WHERE oid = $1::int8::oid", [oid]),
  );
  return rows.length > 0;
}

interface Removal {
  readonly server: PostgresServer;
  readonly owner: Owner;
  readonly leftoversOwner: string;
  readonly signal: AbortSignal;
  /** What stays; sentences are added. */
  readonly left: string[];
}

/** Out of its groups, its things to the owner of leftovers, dropped. Answers what failed. */
async function removeRole(
  { server, owner, leftoversOwner, signal, left }: Removal,
  role: FoundRole,
  wanted: ObjectToTakeBack,
): Promise<readonly ConnectorFault[]> {
  const faults: ConnectorFault[] = [];
  const step = async (work: (sql: Sql) => Promise<unknown>, database?: string): Promise<void> => {
    const fault = await attempt(owner, () =>
      database === undefined ? server.use("take-backs", signal, work) : server.useIn(database, signal, work),
    );
    if (fault !== undefined) faults.push(fault);
  };
  // Read before it leaves its groups: afterwards nothing says that it could have made another role.
  await step(async (sql) => void left.push(...(await rolesItMayHaveMade(sql, role))));
  await step((sql) => revokeMemberships(sql, role));
  await step((sql) => becomeMember(sql, role.name));
  await step((sql) => removeItsMembers(sql, role));
  let databases: readonly DatabaseOfRole[] = [];
  await step(async (sql) => {
    databases = await databasesOf(sql, role.oid);
    if (databases.some(({ owns }) => owns)) await ensureLeftoversOwner(sql, leftoversOwner);
  });
  const groups = role.label.given ?? [];
  for (const { name, isHere, owns } of databases) {
    const leftovers = owns ? { owner: leftoversOwner, groups } : undefined;
    await step(
      async (sql) => void left.push(...(await emptyDatabase(sql, role, leftovers))),
      isHere ? undefined : name,
    );
  }
  const prepared = await attempt(owner, () =>
    server.use("take-backs", signal, (sql) => rejectPrepared(sql, owner, role)),
  );
  // The role and its label stay until nothing keeps it, so that the next attempt knows what it was.
  if (prepared !== undefined) return [...faults, prepared];
  // What only others may take away is named by the last step, which fails for it.
  if (faults.some(({ code }) => code !== "not_permitted")) return faults;
  const before = faults.length;
  await step((sql) => drop(sql, owner, role, wanted));
  return faults.slice(before);
}

/**
 * Out of its groups at once, not only when it is dropped: views and functions it has left read with its rights, whether
 * or not it may log in, and what owns them may be locked by somebody for as long as they like.
 */
async function revokeMemberships(sql: Sql, { oid, name }: FoundRole): Promise<void> {
  const groups = await sql.query<{ group: string }>(
    `SELECT DISTINCT g.rolname::text AS "group" FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
      WHERE m.member = $1::int8::oid ORDER BY 1`,
    [oid],
  );
  await eachInSavepoint(
    sql,
    groups.map(({ group }) => statements.removeMember(group, name, undefined)),
  );
}

/** Those it let into its groups. Since 16 the server itself takes them out with DROP OWNED. */
async function removeItsMembers(sql: Sql, { oid, name }: FoundRole): Promise<void> {
  const members = await sql.query<{ group: string; member: string }>(
    `SELECT g.rolname::text AS "group", u.rolname::text AS member
       FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
      WHERE m.grantor = $1::int8::oid OR (m.roleid = $1::int8::oid AND u.rolname <> current_user) ORDER BY 1, 2`,
    [oid],
  );
  const grantor = (await serverVersion(sql)) >= membershipOptionsSince ? name : undefined;
  await eachInSavepoint(
    sql,
    members.map(({ group, member }) =>
      statements.removeMember(group, member, group === name ? undefined : grantor),
    ),
  );
}

/** One that is not ours to take away must not keep the others. */
async function eachInSavepoint(sql: Sql, changes: readonly string[]): Promise<void> {
  await inTransaction(sql, lockTimeoutMs, async () => {
    for (const change of changes) {
      await sql.query("SAVEPOINT change");
      try {
        await sql.query(change);
      } catch {
        await sql.query("ROLLBACK TO SAVEPOINT change");
      }
      await sql.query("RELEASE SAVEPOINT change");
    }
  });
}

/** Since 16 who makes a role may administer it. */
async function rolesItMayHaveMade(sql: Sql, { oid, name }: FoundRole): Promise<readonly string[]> {
  const rows = await sql.query<{ role: string }>(
    `SELECT DISTINCT g.rolname::text AS role FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
      WHERE m.member = $1::int8::oid AND m.admin_option ORDER BY 1`,
    [oid],
  );
  return rows.map(({ role }) => `${name} could administer the role ${role}, and may have made it.`);
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

/** A right somebody gave by hand can only be taken by them: the role is dead, but it cannot go. */
async function drop(sql: Sql, owner: Owner, { oid }: FoundRole, wanted: ObjectToTakeBack): Promise<void> {
  await inTransaction(sql, lockTimeoutMs, async () => {
    const { managed } = await findRoles(sql, owner, wanted);
    const role = managed.find((one) => one.oid === oid);
    if (role === undefined) return;
    const held = await sql.query<{ database: string | null }>(
      `SELECT DISTINCT d.datname::text AS database
         FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
        WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::int8::oid`,
      [oid],
    );
    if (held.length > 0) {
      const places = held.map(({ database }) => database ?? "the whole server").join(", ");
      throw explainedFault(
        "not_permitted",
        owner.connector,
        `${role.name} is locked out, but others gave it rights in ${places} that only they can take: let them run there DROP OWNED BY ${role.name}`,
        { retryable: false },
      );
    }
    await sql.query(statements.drop(role.name));
  });
}
