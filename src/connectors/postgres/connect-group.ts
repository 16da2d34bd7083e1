import { ConnectorFault } from "../../service/ports/connector.ts";
import { sha256Hex, type Owner } from "../shared/label.ts";
import { inTransaction, type Sql } from "./server.ts";
import { statements } from "./roles.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/**
 * If PUBLIC may not connect to the database, a group of ours may, and the role of each grant joins it. Granting CONNECT
 * to each role would update the same row of pg_database every time, and any role that may connect can lock that row.
 */

const lockTimeoutMs = 2_000;

/** A database, and the broker that grants CONNECT on it. */
export interface ConnectScope {
  readonly database: string;
  /** Since 16 only the creator of a group may add members, so each broker creates its own. */
  readonly broker: string;
}

/** A pure function of the names of the installation, the connector, the database and the broker. */
export function connectGroupName({ instance, connector }: Owner, { database, broker }: ConnectScope): string {
  return `jit_connect_${sha256Hex([instance, connector, database, broker].join("\n")).slice(0, 16)}`;
}

/** The group that a new role must join to connect; undefined when PUBLIC or one of its own groups may connect. */
export async function ensureConnectGroup(
  sql: Sql,
  owner: Owner,
  groups: readonly string[],
): Promise<string | undefined> {
  const [row] = await sql.query<ConnectScope & { may: boolean }>(
    `SELECT current_database()::text AS database, current_user::text AS broker,
            has_database_privilege('public', current_database(), 'CONNECT')
            OR EXISTS (SELECT FROM pg_roles g WHERE g.rolname = ANY($1)
                        AND has_database_privilege(g.oid, current_database(), 'CONNECT')) AS may`,
    [groups],
  );
  if (row === undefined || row.may) return undefined;
  const group = connectGroupName(owner, row);
  const comment = `Lets roles of jit-access connect to ${row.database} (connector ${owner.connector}).`;
  if (await isReady(sql, group, comment)) return group;
  await inTransaction(sql, lockTimeoutMs, async () => {
    if (await isReady(sql, group, comment)) return;
    const existing = await sql.query("SELECT FROM pg_roles WHERE rolname = $1", [group]);
    if (existing.length === 0) await sql.query(statements.createGroup(group));
    await sql.query(statements.comment(group, comment));
    await sql.query(statements.connect(row.database, group));
  });
  if (await isReady(sql, group, comment)) return group;
  throw explainedFault(
    "not_permitted",
    owner.connector,
    `the broker may not grant CONNECT on the database ${row.database}.`,
    { retryable: false },
  );
}

/** @throws ConnectorFault when the role is not ours: its members would get rights that we do not know. */
async function isReady(sql: Sql, group: string, comment: string): Promise<boolean> {
  const [found] = await sql.query<{ may: boolean; comment: string | null }>(
    `SELECT has_database_privilege(oid, current_database(), 'CONNECT') AS may,
            shobj_description(oid, 'pg_authid') AS comment
       FROM pg_roles WHERE rolname = $1`,
    [group],
  );
  if (found !== undefined && found.comment !== null && found.comment !== comment) {
    throw new ConnectorFault("foreign_object", `The role ${group} is not ours, so it is not used.`, {
      retryable: false,
      reason: `the role ${group} exists and is not ours`,
    });
  }
  return found?.may === true && found.comment === comment;
}
