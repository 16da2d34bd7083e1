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
import { mergeFaults, runStep } from "./steps.ts";
import { rejectPrepared, rejectUnknownSessions } from "./reject-unproven.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** Normal use holds these locks only briefly. */
const lockTimeoutMs = 2_000;

/**
 * Removes the role in this order: block logins; end sessions until none is left; remove what it created and was
 * granted; read the server's own listing again. Each step runs even if an earlier one failed, and none waits for a lock
 * without limit, because a granted role can hold most locks for as long as it is connected.
 */
export async function takeBackRole(
  server: PostgresServer,
  owner: Owner,
  target: ObjectToTakeBack,
  leftoversOwner: string,
  signal: AbortSignal,
): Promise<TakenBack> {
  const found = await server.use("take-backs", signal, (sql) => findRoles(sql, owner, target));
  try {
    return await takeBackFound({ server, owner, leftoversOwner, signal, left: [] }, found, target);
  } catch (error) {
    throw signal.aborted ? withoutTargetDown(error) : error;
  }
}

/** The server has answered, so it is not down, and the circuit breaker must not open. */
function withoutTargetDown(error: unknown): unknown {
  if (!(error instanceof ConnectorFault)) return error;
  return new ConnectorFault(error.code, error.message, { retryable: error.retryable, reason: error.reason });
}

async function takeBackFound(
  removal: RoleRemoval,
  { managed, untouchable }: FoundRoles,
  target: ObjectToTakeBack,
): Promise<TakenBack> {
  const { server, owner, signal, left } = removal;
  const oids = [...managed.map(({ oid }) => oid), ...(await droppedOid(server, target, signal))];
  const faults = [...(await lockOut(server, owner, { roles: managed, oids }, signal))];
  for (const role of managed) {
    if (faults.some(({ isTargetDown }) => isTargetDown)) break;
    faults.push(...(await removeRole(removal, role, target)));
  }
  // A session that was logging in while the login was being blocked.
  const sessions = await endSessionsDuring(server, owner, oids, signal, async () => {});
  const unknown =
    oids.length > 0 ? undefined : await runStep(owner, () => rejectUnknownSessions(server, owner, signal));
  const after = await server.use("take-backs", signal, (sql) => findRoles(sql, owner, target));
  const isDropped = managed.length > 0 && after.managed.length === 0;
  const fault = mergeFaults([...(isDropped ? [] : faults), ...sessions, unknown, untouchable]);
  if (fault !== undefined) throw fault;
  return { left };
}

/** Sessions of a role that was dropped by hand continue. No other role gets its OID, so it identifies them. */
async function droppedOid(
  server: PostgresServer,
  { identity }: ObjectToTakeBack,
  signal: AbortSignal,
): Promise<readonly number[]> {
  if (identity === undefined) return [];
  const oid = Number(identity.id);
  return (await roleExists(server, oid, signal)) ? [] : [oid];
}

async function roleExists(server: PostgresServer, oid: number, signal: AbortSignal): Promise<boolean> {
  const rows = await server.use("take-backs", signal, (sql) =>
    sql.query("SELECT FROM pg_roles WHERE oid = $1::int8::oid", [oid]),
  );
  return rows.length > 0;
}

interface RoleRemoval {
  readonly server: PostgresServer;
  readonly owner: Owner;
  readonly leftoversOwner: string;
  readonly signal: AbortSignal;
  /** Sentences about what stays. */
  readonly left: string[];
}

/** Revokes memberships, reassigns objects, then drops the role. @returns the faults. */
async function removeRole(
  { server, owner, leftoversOwner, signal, left }: RoleRemoval,
  role: FoundRole,
  target: ObjectToTakeBack,
): Promise<readonly ConnectorFault[]> {
  const faults: ConnectorFault[] = [];
  const step = async (work: (sql: Sql) => Promise<unknown>, database?: string): Promise<void> => {
    const fault = await runStep(owner, () =>
      database === undefined ? server.use("take-backs", signal, work) : server.useIn(database, signal, work),
    );
    if (fault !== undefined) faults.push(fault);
  };
  // Read before its memberships are revoked, because afterwards nothing shows which roles it may have created.
  await step(async (sql) => void left.push(...(await rolesPossiblyCreated(sql, role))));
  await step((sql) => revokeMemberships(sql, role));
  await step((sql) => becomeMember(sql, role.name));
  await step((sql) => revokeGrantedMemberships(sql, role));
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
  const prepared = await runStep(owner, () =>
    server.use("take-backs", signal, (sql) => rejectPrepared(sql, owner, role)),
  );
  // The role and its label stay until nothing depends on it, so that the next attempt can identify it.
  if (prepared !== undefined) return [...faults, prepared];
  // Rights that only others may revoke make the last step fail, which names them.
  if (faults.some(({ code }) => code !== "not_permitted")) return faults;
  const before = faults.length;
  await step((sql) => dropRole(sql, owner, role, target));
  return faults.slice(before);
}

/**
 * Revokes memberships immediately, not only with the drop. Views and functions that it left run with its rights even
 * without a login, and a lock held by somebody else could delay the drop without limit.
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

/** Revokes memberships that the role granted to others. Since 16, DROP OWNED does this. */
async function revokeGrantedMemberships(sql: Sql, { oid, name }: FoundRole): Promise<void> {
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

/** A change that the broker may not make must not prevent the others. */
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

/** Since 16, the creator of a role may administer it. */
async function rolesPossiblyCreated(sql: Sql, { oid, name }: FoundRole): Promise<readonly string[]> {
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
  /** Whether the role owns objects in it; otherwise it only has rights there. */
  readonly owns: boolean;
}

/** The databases where the role owns objects or has rights. Server-wide objects count as the current database. */
async function databasesOf(sql: Sql, oid: number): Promise<readonly DatabaseOfRole[]> {
  return sql.query<{ name: string; isHere: boolean; owns: boolean }>(
    `SELECT d.datname::text AS name, d.datname = current_database() AS "isHere", bool_or(s.deptype = 'o') AS owns
       FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid OR (s.dbid = 0 AND d.datname = current_database())
      WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = $1::int8::oid
      GROUP BY d.datname ORDER BY 2, 1`,
    [oid],
  );
}

/** Drops the role. Fails while it has rights granted by others, which only they can revoke. */
async function dropRole(sql: Sql, owner: Owner, { oid }: FoundRole, target: ObjectToTakeBack): Promise<void> {
  await inTransaction(sql, lockTimeoutMs, async () => {
    const { managed } = await findRoles(sql, owner, target);
    const role = managed.find((found) => found.oid === oid);
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
        `${role.name} is locked out, but others granted it rights in ${places} that only they can revoke: they must run DROP OWNED BY ${role.name} there`,
        { retryable: false },
      );
    }
    await sql.query(statements.drop(role.name));
  });
}
