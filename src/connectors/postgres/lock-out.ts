import { setTimeout as pause } from "node:timers/promises";
import type { ConnectorFault } from "../../service/ports/connector.ts";
import type { Owner } from "../shared/label.ts";
import { inTransaction, type PostgresServer, type Sql } from "./server.ts";
import { serverVersion, statements, type FoundRole } from "./roles.ts";
import { attempt } from "./steps.ts";
import { explainedFault } from "../shared/explained-fault.ts";

const pollMs = 50;
/** A change of a role waits this long for its row, while whoever holds it is being thrown out. */
const roleLockTimeoutMs = 1_000;
/** How long the sessions may take to end in one round. */
const sessionsWithinMs = 3_000;
/** Rounds are repeated for this long; the steps after them need time too. */
const lockOutWithinMs = 7_000;

/** Whom to lock out. */
export interface LockedOut {
  readonly roles: readonly FoundRole[];
  /** Those of the roles, and of a role that is gone: its sessions go on without it. */
  readonly oids: readonly number[];
}

/**
 * Blocks new logins, ends sessions and rolls back prepared transactions, again and again until all three succeed in one
 * round. A session may hold the row that blocking the login must change, and so may a prepared transaction; a login that
 * is not blocked yet may open the next session. Answers what failed in the last round.
 */
export async function lockOut(
  server: PostgresServer,
  owner: Owner,
  { roles, oids }: LockedOut,
  signal: AbortSignal,
): Promise<readonly ConnectorFault[]> {
  const deadline = performance.now() + lockOutWithinMs;
  for (;;) {
    const faults = [
      ...(await endSessionsDuring(server, owner, oids, signal, () => blockLogins(server, roles, signal))),
      ...(await rollBackPrepared(server, owner, oids, signal)),
    ];
    const isWorthRepeating = faults.some(({ retryable, isTargetDown }) => retryable && !isTargetDown);
    if (!isWorthRepeating || signal.aborted || performance.now() > deadline) return faults;
    await pause(pollMs);
  }
}

/**
 * Ends sessions while `change` waits for a lock that one of them may hold, so that `change` is the next to get it, and
 * goes on until none is left. Answers what failed.
 */
export async function endSessionsDuring(
  server: PostgresServer,
  owner: Owner,
  oids: readonly number[],
  signal: AbortSignal,
  change: () => Promise<void>,
): Promise<readonly ConnectorFault[]> {
  let isChanged = false;
  const changing = attempt(owner, change).finally(() => {
    isChanged = true;
  });
  const deadline = performance.now() + sessionsWithinMs;
  const ending = attempt(owner, async () => {
    for (;;) {
      // Read before the look: a session that the change let in is seen by the next one.
      const isLast = isChanged;
      const count = await server.use("sessions", signal, (sql) => endSessions(sql, oids));
      if (count === 0 && isLast) return;
      if (performance.now() > deadline && count > 0) {
        const what = count === 1 ? "1 session does" : `${count} sessions do`;
        throw explainedFault("timeout", owner.connector, `${what} not end`, { retryable: true });
      }
      await pause(pollMs);
    }
  });
  return (await Promise.all([changing, ending])).flatMap((fault) => fault ?? []);
}

/**
 * Ends all sessions of these roles once; answers how many there were. They are found by the OID that the session logged
 * in with: SET ROLE does not change it, and it stays when the role is dropped.
 */
async function endSessions(sql: Sql, oids: readonly number[]): Promise<number> {
  const ended = await sql.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usesysid = ANY($1::int8[]::oid[])",
    [oids],
  );
  return ended.length;
}

async function blockLogins(
  server: PostgresServer,
  roles: readonly FoundRole[],
  signal: AbortSignal,
): Promise<void> {
  for (const { name } of roles) {
    await server.use("take-backs", signal, (sql) =>
      inTransaction(sql, roleLockTimeoutMs, async () => void (await sql.query(statements.close(name)))),
    );
  }
}

interface Prepared {
  readonly gid: string;
  readonly database: string;
  /** Null when the role is gone. */
  readonly role: string | null;
}

/** Transactions that the roles prepared themselves: nobody else could have, so they are rolled back. */
async function rollBackPrepared(
  server: PostgresServer,
  owner: Owner,
  oids: readonly number[],
  signal: AbortSignal,
): Promise<readonly ConnectorFault[]> {
  const faults: ConnectorFault[] = [];
  let prepared: readonly Prepared[] = [];
  const listing = await attempt(owner, async () => {
    prepared = await server.use("take-backs", signal, (sql) => preparedBy(sql, oids));
  });
  if (listing !== undefined) faults.push(listing);
  for (const { gid, database, role } of prepared) {
    const fault = await attempt(owner, async () => {
      if (role === null) throw preparedByNobody(owner, gid, database);
      await server.use("take-backs", signal, (sql) => becomeMember(sql, role));
      await server.useIn(database, signal, async (sql) => {
        await sql.query(`SET lock_timeout = ${roleLockTimeoutMs}`);
        await sql.query(statements.become(role));
        await sql.query(statements.rollbackPrepared(gid));
      });
    });
    if (fault !== undefined) faults.push(fault);
  }
  return faults;
}

function preparedBy(sql: Sql, oids: readonly number[]): Promise<readonly Prepared[]> {
  return sql.query<{ gid: string; database: string; role: string | null }>(
    `SELECT p.gid, d.datname::text AS database, r.rolname::text AS role
       FROM pg_prepared_xact() p JOIN pg_database d ON d.oid = p.dbid LEFT JOIN pg_roles r ON r.oid = p.ownerid
      WHERE p.ownerid = ANY($1::int8[]::oid[])`,
    [oids],
  );
}

function preparedByNobody({ connector }: Owner, gid: string, database: string): ConnectorFault {
  return explainedFault(
    "not_permitted",
    connector,
    `the role that prepared the transaction ${gid} in ${database} is gone, so only a superuser can end it: ROLLBACK PREPARED '${gid.replaceAll("'", "''")}'.`,
    { retryable: false },
  );
}

/** The broker must have the rights of a role to give away what it owns, and to become it. */
export async function becomeMember(sql: Sql, role: string): Promise<void> {
  await inTransaction(
    sql,
    roleLockTimeoutMs,
    async () => void (await sql.query(statements.join(role, await serverVersion(sql)))),
  );
}
