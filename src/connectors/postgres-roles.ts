import { escapeIdentifier as name, escapeLiteral as text } from "pg";
import type { Instant } from "../core/ids.ts";
import { formatInstant } from "../core/time.ts";
import { ConnectorFault } from "../service/connector.ts";
import { readLabel, type FoundLabel, type Owner } from "./label.ts";
import type { Sql } from "./postgres-database.ts";

/** Since 16 a membership says whether it inherits and whether it may be switched to. */
export const membershipOptionsSince = 160_000;
const sessionsMax = 5;

/** DDL takes no parameters: every name and text in it is escaped by the driver. */
export const statements = {
  create: (role: string, until: Instant): string =>
    `CREATE ROLE ${name(role)} NOLOGIN INHERIT CONNECTION LIMIT ${sessionsMax} VALID UNTIL ${text(formatInstant(until))}`,
  extend: (role: string, until: Instant): string =>
    `ALTER ROLE ${name(role)} VALID UNTIL ${text(formatInstant(until))}`,
  open: (role: string, verifier: string, until: Instant): string =>
    `ALTER ROLE ${name(role)} LOGIN INHERIT CONNECTION LIMIT ${sessionsMax} PASSWORD ${text(verifier)} VALID UNTIL ${text(formatInstant(until))}`,
  close: (role: string): string =>
    `ALTER ROLE ${name(role)} NOLOGIN CONNECTION LIMIT 0 PASSWORD NULL VALID UNTIL '-infinity'`,
  label: (role: string, label: string): string => `COMMENT ON ROLE ${name(role)} IS ${text(label)}`,
  addTo: (group: string, role: string, version: number): string =>
    `GRANT ${name(group)} TO ${name(role)}${version >= membershipOptionsSince ? " WITH INHERIT TRUE, SET FALSE, ADMIN FALSE" : ""}`,
  removeFrom: (group: string, role: string): string => `REVOKE ${name(group)} FROM ${name(role)}`,
  /** The broker must have the rights of a role to give away what it owns. */
  join: (role: string, version: number): string =>
    `GRANT ${name(role)} TO CURRENT_USER${version >= membershipOptionsSince ? " WITH INHERIT TRUE, SET TRUE" : ""}`,
  createOwner: (role: string): string => `CREATE ROLE ${name(role)} NOLOGIN`,
  connect: (database: string, role: string): string =>
    `GRANT CONNECT ON DATABASE ${name(database)} TO ${name(role)}`,
  reassign: (role: string, owner: string): string => `REASSIGN OWNED BY ${name(role)} TO ${name(owner)}`,
  giveLargeObject: (oid: string, owner: string): string =>
    `ALTER LARGE OBJECT ${oid} OWNER TO ${name(owner)}`,
  dropOwned: (role: string): string => `DROP OWNED BY ${name(role)}`,
  drop: (role: string): string => `DROP ROLE IF EXISTS ${name(role)}`,
  become: (role: string): string => `SET ROLE ${name(role)}`,
  rollbackPrepared: (transaction: string): string => `ROLLBACK PREPARED ${text(transaction)}`,
} as const;

/** A role of ours as it is there. */
export interface FoundRole {
  readonly oid: number;
  readonly label: FoundLabel;
}

/**
 * One change of roles at a time, until the transaction ends. Two connections may be at the same role, and all of them
 * are at the same few rows of the server's catalogue.
 */
export async function lockRoles(sql: Sql): Promise<void> {
  await sql.query("SELECT pg_advisory_xact_lock(hashtextextended('jit-access roles', 0))");
}

/** The role, undefined when there is none; a fault when somebody else's bears this name. */
export async function findRole(sql: Sql, owner: Owner, role: string): Promise<FoundRole | undefined> {
  const [row] = await sql.query<{ oid: number; label: string | null }>(
    "SELECT oid::int8::float8 AS oid, shobj_description(oid, 'pg_authid') AS label FROM pg_roles WHERE rolname = $1",
    [role],
  );
  if (row === undefined) return undefined;
  const label = readLabel(owner, row.label);
  if (label === undefined) {
    throw new ConnectorFault(
      "foreign_object",
      `${owner.connector}: the role ${role} does not bear our label, so it is not touched.`,
      { retryable: false },
    );
  }
  return { oid: row.oid, label };
}

/** `server_version_num`, such as 180004. */
export async function serverVersion(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  return row?.version ?? 0;
}
