import { setTimeout as pause } from "node:timers/promises";
import type { ConnectorFault } from "../../service/ports/connector.ts";
import type { Owner } from "../shared/label.ts";
import { inTransaction, type PostgresServer, type Sql } from "./server.ts";
import { serverVersion, statements, type FoundRole } from "./roles.ts";
import { runStep } from "./steps.ts";
import { explainedFault } from "../shared/explained-fault.ts";

const pollMs = 50;
/** How long a change of a role waits for its row lock, while the sessions that hold it are being ended. */
const roleLockTimeoutMs = 1_000;
/** How long sessions may take to end in one round. */
const sessionsWithinMs = 3_000;
/** How long rounds are repeated. The steps after them need time too. */
const lockOutWithinMs = 7_000;

/** The roles to lock out. */
export interface LockedOut {
  readonly roles: readonly FoundRole[];
  /** Also of roles that were dropped, because their sessions continue. */
  readonly oids: readonly number[];
}

/**
 * Blocks logins, ends sessions and rolls back prepared transactions, in rounds until all three succeed in the same
 * round. Sessions and prepared transactions may lock the row that blocks the login, and until it is blocked new
 * sessions may open.
 *
 * @returns the faults of the last round.
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
 * Ends sessions while `change` waits for a lock that one of them may hold, so that `change` gets it next. Continues
 * until no session is left.
 *
 * @returns the faults.
 */
export async function endSessionsDuring(
  server: PostgresServer,
  owner: Owner,
  oids: readonly number[],
  signal: AbortSignal,
  change: () => Promise<void>,
): Promise<readonly ConnectorFault[]> {
  let isChanged = false;
  const changing = runStep(owner, change).finally(() => {
    isChanged = true;
  });
  const deadline = performance.now() + sessionsWithinMs;
  const ending = runStep(owner, async () => {
    for (;;) {
      // Read before counting, so that the next count includes sessions that `change` allowed.
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
 * Ends all sessions of these roles once. Sessions are found by the OID that they logged in with: SET ROLE does not
 * change it, and it remains when the role is dropped.
 *
 * @returns how many sessions there were.
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

interface PreparedTransaction {
  readonly gid: string;
  readonly database: string;
  /** Null: the role was dropped. */
  readonly role: string | null;
}

/** Rolls back the transactions that these roles prepared. Nobody else could have prepared them under their OIDs. */
async function rollBackPrepared(
  server: PostgresServer,
  owner: Owner,
  oids: readonly number[],
  signal: AbortSignal,
): Promise<readonly ConnectorFault[]> {
  const faults: ConnectorFault[] = [];
  let prepared: readonly PreparedTransaction[] = [];
  const listing = await runStep(owner, async () => {
    prepared = await server.use("take-backs", signal, (sql) => preparedBy(sql, oids));
  });
  if (listing !== undefined) faults.push(listing);
  for (const { gid, database, role } of prepared) {
    const fault = await runStep(owner, async () => {
      if (role === null) throw preparedByDroppedRole(owner, gid, database);
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

function preparedBy(sql: Sql, oids: readonly number[]): Promise<readonly PreparedTransaction[]> {
  return sql.query<{ gid: string; database: string; role: string | null }>(
    `SELECT p.gid, d.datname::text AS database, r.rolname::text AS role
       FROM pg_prepared_xact() p JOIN pg_database d ON d.oid = p.dbid LEFT JOIN pg_roles r ON r.oid = p.ownerid
      WHERE p.ownerid = ANY($1::int8[]::oid[])`,
    [oids],
  );
}

function preparedByDroppedRole({ connector }: Owner, gid: string, database: string): ConnectorFault {
  return explainedFault(
    "not_permitted",
    connector,
    `the role that prepared the transaction ${gid} in ${database} is gone, so only a superuser can end it: ROLLBACK PREPARED '${gid.replaceAll("'", "''")}'.`,
    { retryable: false },
  );
}

/** Makes the broker a member of the role, which it needs to reassign its objects and to SET ROLE to it. */
export async function becomeMember(sql: Sql, role: string): Promise<void> {
  await inTransaction(
    sql,
    roleLockTimeoutMs,
    async () => void (await sql.query(statements.join(role, await serverVersion(sql)))),
  );
}
