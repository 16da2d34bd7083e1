import { escapeIdentifier as name, escapeLiteral as text } from "pg";
import type { GrantId, Instant } from "../../core/values/ids.ts";
import { formatInstant } from "../../core/values/time.ts";
import type { ConnectorFault, ObjectToTakeBack } from "../../service/ports/connector.ts";
import { objectName, readLabel, type FoundLabel, type Owner } from "../shared/label.ts";
import type { Sql } from "./server.ts";
import { explainedFault } from "../shared/explained-fault.ts";

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
  addTo: (group: string, role: string, version: number): string =>
    `GRANT ${name(group)} TO ${name(role)}${version >= membershipOptionsSince ? " WITH INHERIT TRUE, SET FALSE, ADMIN FALSE" : ""}`,
  removeFrom: (group: string, role: string): string => `REVOKE ${name(group)} FROM ${name(role)}`,
  /** The broker must have the rights of a role to give away what it owns. */
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

/** A role as it is there. */
export interface FoundRole {
  /** Survives renaming, and names the role's sessions even after the role is gone. */
  readonly oid: number;
  /** Its name at this moment. */
  readonly name: string;
  readonly label: FoundLabel;
}

/** Which role is looked for. */
export type WantedRole = ObjectToTakeBack;

export interface FoundRoles {
  /** Those made for the grant, under whatever name. Usually one. */
  readonly managed: readonly FoundRole[];
  /** Why a role that might be meant is not touched. */
  readonly untouchable: ConnectorFault | undefined;
}

/**
 * Finds the role of a grant by its label, by its OID and by its name, because it may have been renamed by hand, or its
 * comment removed. The name alone proves nothing.
 */
export async function findRoles(sql: Sql, owner: Owner, wanted: WantedRole): Promise<FoundRoles> {
  const oid = wanted.identity === undefined ? null : Number(wanted.identity.id);
  const rows = await sql.query<{ oid: number; name: string; label: string | null }>(
    `SELECT r.oid::int8::float8 AS oid, r.rolname::text AS name, c.description AS label
       FROM pg_roles r
       LEFT JOIN pg_shdescription c ON c.objoid = r.oid AND c.classoid = 'pg_authid'::regclass
      WHERE r.rolname = $1 OR r.oid = $2::int8::oid OR strpos(c.description, $3) > 0
      ORDER BY r.oid`,
    [wanted.object, oid, wanted.grantId],
  );
  const managed: FoundRole[] = [];
  let untouchable: ConnectorFault | undefined;
  for (const row of rows) {
    const label = readLabel(owner, row.label);
    const isNamed = row.name === wanted.object;
    const isSameOid = row.oid === oid;
    if (label?.grantId === wanted.grantId || (isNamed && (isSameOid || label?.grantId === null))) {
      managed.push({ oid: row.oid, name: row.name, label: label ?? unreadable });
    } else if (isNamed || isSameOid) {
      untouchable ??= foreignRole(owner, row.name, isNamed ? undefined : wanted.object);
    }
  }
  return { managed, untouchable };
}

/** The one role of a grant, undefined when there is none; a fault when somebody else's bears its name. */
export async function findRole(sql: Sql, owner: Owner, wanted: WantedRole): Promise<FoundRole | undefined> {
  const { managed, untouchable } = await findRoles(sql, owner, wanted);
  if (untouchable !== undefined) throw untouchable;
  return managed[0];
}

const unreadable: FoundLabel = { grantId: null, notAfter: null, given: null };

function foreignRole({ connector }: Owner, role: string, formerName: string | undefined): ConnectorFault {
  const which = formerName === undefined ? `the role ${role}` : `the role ${role}, once ${formerName},`;
  return explainedFault(
    "foreign_object",
    connector,
    `${which} does not bear our label, so it is not touched. Drop it by hand, or give it its label back.`,
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

/** The name of a grant's role. Pure. */
export function roleName({ connector }: Owner, grantId: GrantId): string {
  return objectName("jit_", connector, grantId);
}

/** The server's identifier of itself. A copy of the whole server has the same, a restored dump has not. */
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
