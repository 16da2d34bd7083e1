import { escapeIdentifier as name, escapeLiteral as text } from "pg";
import type { GrantId, Instant } from "../../core/values/ids.ts";
import { formatInstant } from "../../core/values/time.ts";
import type { ConnectorFault, ObjectToTakeBack } from "../../service/ports/connector.ts";
import { objectName, readLabel, type FoundLabel, type Owner } from "../shared/label.ts";
import type { Sql } from "./server.ts";
import { explainedFault } from "../shared/explained-fault.ts";

/** Since 16, a membership has the options INHERIT and SET. */
export const membershipOptionsSince = 160_000;
const sessionsMax = 5;

/** DDL accepts no parameters, so the driver escapes every name and text. */
export const statements = {
  create: (role: string, until: Instant): string =>
    `CREATE ROLE ${name(role)} NOLOGIN INHERIT CONNECTION LIMIT ${sessionsMax} VALID UNTIL ${text(formatInstant(until))}`,
  extend: (role: string, until: Instant): string =>
    `ALTER ROLE ${name(role)} VALID UNTIL ${text(formatInstant(until))}`,
  open: (role: string, verifier: string, until: Instant): string =>
    `ALTER ROLE ${name(role)} LOGIN INHERIT CONNECTION LIMIT ${sessionsMax} PASSWORD ${text(verifier)} VALID UNTIL ${text(formatInstant(until))}`,
  close: (role: string): string =>
    `ALTER ROLE ${name(role)} NOLOGIN CONNECTION LIMIT 0 PASSWORD NULL VALID UNTIL '-infinity'`,
  addTo: (group: string, role: string, version: number): string =>
    `GRANT ${name(group)} TO ${name(role)}${version >= membershipOptionsSince ? " WITH INHERIT TRUE, SET FALSE, ADMIN FALSE" : ""}`,
  removeFrom: (group: string, role: string): string => `REVOKE ${name(group)} FROM ${name(role)}`,
  /** The broker must be a member of a role to reassign its objects. */
  join: (role: string, version: number): string =>
    `GRANT ${name(role)} TO CURRENT_USER${version >= membershipOptionsSince ? " WITH INHERIT TRUE, SET TRUE" : ""}`,
  createGroup: (role: string): string => `CREATE ROLE ${name(role)} NOLOGIN`,
  connect: (database: string, role: string): string =>
    `GRANT CONNECT ON DATABASE ${name(database)} TO ${name(role)}`,
  reassign: (role: string, owner: string): string => `REASSIGN OWNED BY ${name(role)} TO ${name(owner)}`,
  dropOwned: (role: string): string => `DROP OWNED BY ${name(role)}`,
  drop: (role: string): string => `DROP ROLE IF EXISTS ${name(role)}`,
  removeMember: (group: string, member: string, grantor: string | undefined): string =>
    `REVOKE ${name(group)} FROM ${name(member)}${grantor === undefined ? "" : ` GRANTED BY ${name(grantor)}`} CASCADE`,
  comment: (role: string, comment: string): string => `COMMENT ON ROLE ${name(role)} IS ${text(comment)}`,
  giveObject: (kind: string, identity: string, owner: string): string =>
    `ALTER ${kind} ${identity} OWNER TO ${name(owner)}`,
  become: (role: string): string => `SET ROLE ${name(role)}`,
  rollbackPrepared: (transaction: string): string => `ROLLBACK PREPARED ${text(transaction)}`,
} as const;

/** A role as found on the server. */
export interface FoundRole {
  /** Survives renaming, and identifies the sessions of the role even after it was dropped. */
  readonly oid: number;
  /** Its current name. */
  readonly name: string;
  readonly label: FoundLabel;
}

/** How a role is found. */
export type RoleQuery = ObjectToTakeBack;

export interface FoundRoles {
  /** The roles that were created for the grant, under any name. Usually one. */
  readonly managed: readonly FoundRole[];
  /** Why a role that may be the one is not touched. */
  readonly untouchable: ConnectorFault | undefined;
}

/**
 * Finds the role of a grant by its label, by its OID and by its name, because it may have been renamed by hand, or its
 * comment removed. The name alone proves nothing.
 */
export async function findRoles(sql: Sql, owner: Owner, query: RoleQuery): Promise<FoundRoles> {
  const oid = query.identity === undefined ? null : Number(query.identity.id);
  const rows = await sql.query<{ oid: number; name: string; label: string | null }>(
    `SELECT r.oid::int8::float8 AS oid, r.rolname::text AS name, c.description AS label
       FROM pg_roles r
       LEFT JOIN pg_shdescription c ON c.objoid = r.oid AND c.classoid = 'pg_authid'::regclass
      WHERE r.rolname = $1 OR r.oid = $2::int8::oid OR strpos(c.description, $3) > 0
      ORDER BY r.oid`,
    [query.object, oid, query.grantId],
  );
  const managed: FoundRole[] = [];
  let untouchable: ConnectorFault | undefined;
  for (const row of rows) {
    const label = readLabel(owner, row.label);
    const isNamed = row.name === query.object;
    const isSameOid = row.oid === oid;
    if (label?.grantId === query.grantId || (isNamed && (isSameOid || label?.grantId === null))) {
      managed.push({ oid: row.oid, name: row.name, label: label ?? unreadable });
    } else if (isNamed || isSameOid) {
      untouchable ??= foreignRole(owner, row.name, isNamed ? undefined : query.object);
    }
  }
  return { managed, untouchable };
}

/**
 * The role of a grant; undefined when there is none. @throws ConnectorFault when a role that is not ours has its name.
 */
export async function findRole(sql: Sql, owner: Owner, query: RoleQuery): Promise<FoundRole | undefined> {
  const { managed, untouchable } = await findRoles(sql, owner, query);
  if (untouchable !== undefined) throw untouchable;
  return managed[0];
}

const unreadable: FoundLabel = { grantId: null, notAfter: null, given: null };

function foreignRole({ connector }: Owner, role: string, formerName: string | undefined): ConnectorFault {
  const which = formerName === undefined ? `the role ${role}` : `the role ${role}, once ${formerName},`;
  return explainedFault(
    "foreign_object",
    connector,
    `${which} does not have our label, so it is not touched. Drop it by hand, or restore its label.`,
    { retryable: false },
  );
}

/** `server_version_num`, such as 180004. */
export async function serverVersion(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ version: number }>(
    "SELECT current_setting('server_version_num')::int AS version",
  );
  return row?.version ?? 0;
}

/** The name of a grant's role: a pure function of connector and grant id. */
export function roleName({ connector }: Owner, grantId: GrantId): string {
  return objectName("jit_", connector, grantId);
}

/** The system identifier of the server. A physical copy has the same one, a restored dump does not. */
export async function systemIdentifier(sql: Sql): Promise<{ readonly system?: string }> {
  const [allowed] = await sql.query<{ may: boolean }>(
    "SELECT has_function_privilege('pg_control_system()', 'EXECUTE') AS may",
  );
  if (allowed?.may !== true) return {};
  const [row] = await sql.query<{ system: string }>(
    "SELECT system_identifier::text AS system FROM pg_control_system()",
  );
  return row ?? {};
}
