import { explainedFault } from "../shared/explained-fault.ts";
import type { Owner } from "../shared/label.ts";
import type { PostgresServer, Sql } from "./server.ts";
import { membershipOptionsSince, serverVersion, type FoundRole } from "./roles.ts";

/**
 * Rejects a take-back while something may remain of the role that the server cannot attribute to it. It is never ended
 * on a guess: the take-back fails and names it, so that it becomes overdue and a person decides.
 */

/**
 * A prepared transaction outlives its session and keeps its locks. The role's own were rolled back before. Before 16, a
 * member can also SET ROLE to its group and prepare one as the group, and then the server names only the group.
 */
export async function rejectPrepared(sql: Sql, owner: Owner, role: FoundRole): Promise<void> {
  const { given, from } = role.label;
  const groups = (await serverVersion(sql)) >= membershipOptionsSince ? [] : (given ?? []);
  const found = await sql.query<{ gid: string; database: string; preparedAs: string }>(
    `SELECT p.gid, d.datname::text AS database, g.rolname::text AS "preparedAs"
       FROM pg_prepared_xact() p JOIN pg_database d ON d.oid = p.dbid JOIN pg_roles g ON g.oid = p.ownerid
      WHERE p.ownerid = $3::int8::oid
         OR (p.prepared >= coalesce(to_timestamp($2::float8 / 1000), '-infinity')
             AND EXISTS (SELECT FROM pg_roles m WHERE m.rolname = ANY($1) AND pg_has_role(m.oid, g.oid, 'MEMBER')))
      ORDER BY p.prepared`,
    [groups, from ?? null, role.oid],
  );
  if (found.length === 0) return;
  const named = found.map(
    ({ gid, database, preparedAs }) => `'${gid}' in ${database}, prepared as ${preparedAs}`,
  );
  throw explainedFault(
    "not_permitted",
    owner.connector,
    `${role.name} is locked out, but it may have left the prepared transaction ${named.join("; ")}. Nothing proves who prepared it: end it by ROLLBACK PREPARED if nobody needs it.`,
    { retryable: false },
  );
}

/** Sessions of dropped roles cannot be attributed when we have no OID to compare. */
export async function rejectUnknownSessions(
  server: PostgresServer,
  owner: Owner,
  signal: AbortSignal,
): Promise<void> {
  const pids = await server.use("sessions", signal, (sql) =>
    sql.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity a
        WHERE usesysid IS NOT NULL AND usesysid <> 0 AND NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = a.usesysid)`,
    ),
  );
  if (pids.length === 0) return;
  throw explainedFault(
    "not_permitted",
    owner.connector,
    `sessions of dropped roles continue, and one of them may belong to this role. Check the processes ${pids.map(({ pid }) => pid).join(", ")} in pg_stat_activity, and end them by pg_terminate_backend.`,
    { retryable: false },
  );
}
