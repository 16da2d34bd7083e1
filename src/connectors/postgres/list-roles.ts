import { instant } from "../../core/values/ids.ts";
import { formatInstant } from "../../core/values/time.ts";
import type { ListedObject } from "../../service/ports/connector.ts";
import { readLabel, type FoundLabel, type Owner } from "../shared/label.ts";
import { connectGroupName } from "./connect-group.ts";
import type { Sql } from "./server.ts";
import { roleName, systemIdentifier } from "./roles.ts";

/** An expiry that differs by more counts as drift. */
const endToleranceMs = 1_000;

interface RoleRow {
  readonly role: string;
  readonly oid: string;
  readonly database: string;
  readonly broker: string;
  readonly label: string | null;
  /** Expiry in milliseconds; null: none; `-Infinity`: locked out by us. */
  readonly until: number | null;
  readonly groups: readonly string[];
  readonly passesOn: boolean;
  readonly members: readonly string[];
  readonly powers: readonly string[];
  /** How many objects it has direct rights on, apart from the current database. */
  readonly direct: number;
}

/** Every role with a comment. The comment says whether it is ours, never the name. */
const everyCommentedRole = `
  SELECT r.rolname::text AS role, r.oid::int8::text AS oid, shobj_description(r.oid, 'pg_authid') AS label,
         current_database()::text AS database, current_user::text AS broker,
         (extract(epoch FROM r.rolvaliduntil) * 1000)::float8 AS until,
         ARRAY(SELECT DISTINCT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
                WHERE m.member = r.oid) AS groups,
         EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid AND m.admin_option) AS "passesOn",
         ARRAY(SELECT DISTINCT u.rolname::text FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member
                WHERE m.roleid = r.oid AND u.rolname <> current_user) AS members,
         array_remove(ARRAY[
           CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN r.rolcreatedb THEN 'CREATEDB' END, CASE WHEN r.rolreplication THEN 'REPLICATION' END,
           CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS powers,
         (SELECT count(*)::int FROM pg_shdepend s
           WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'a'
             AND NOT (s.classid = 'pg_database'::regclass
                      AND s.objid = (SELECT oid FROM pg_database WHERE datname = current_database()))) AS direct
    FROM pg_roles r JOIN pg_shdescription c ON c.objoid = r.oid AND c.classoid = 'pg_authid'::regclass
   ORDER BY r.rolname`;

/**
 * Lists every role with our label, and how it differs from the label. A role that was renamed by hand is listed under
 * its former name, because our records have that name.
 */
export async function listRoles(sql: Sql, owner: Owner): Promise<readonly ListedObject[]> {
  const rows = await sql.query<RoleRow>(everyCommentedRole);
  const system = await systemIdentifier(sql);
  return rows.flatMap((row) => {
    const label = readLabel(owner, row.label);
    if (label === undefined) return [];
    const { grantId, notAfter } = label;
    const object = grantId === null ? row.role : roleName(owner, grantId);
    const renamed = object === row.role ? [] : [`It was renamed to ${row.role}.`];
    const drift = [...renamed, ...driftOf(owner, row, label)];
    return [{ object, grantId, notAfter, drift, identity: { id: row.oid, ...system } }];
  });
}

function driftOf(owner: Owner, row: RoleRow, { notAfter, given }: FoundLabel): string[] {
  const expected = new Set(given ?? []);
  const actual = new Set(row.groups);
  const isLockedOut = row.until === -Infinity;
  return [
    ...(notAfter === null || isLockedOut ? [] : endDrift(row.until, notAfter)),
    ...row.groups
      .filter((group) => !expected.has(group) && group !== connectGroupName(owner, row))
      .map((group) => `It was added to the role ${group}.`),
    // We removed the groups of a locked-out role ourselves.
    ...[...expected]
      .filter((group) => !isLockedOut && !actual.has(group))
      .map((group) => `It was taken out of the role ${group}.`),
    ...(row.passesOn ? ["It may pass on a role it is in."] : []),
    ...row.members.map((member) => `The role ${member} was added to it.`),
    ...row.powers.map((power) => `It was made ${power}.`),
    ...(row.direct > 0 ? [`It was given rights on ${row.direct} objects directly.`] : []),
  ];
}

function endDrift(until: number | null, notAfter: number): string[] {
  if (until === null || until === Infinity) return ["Its end was taken off."];
  if (Math.abs(until - notAfter) <= endToleranceMs) return [];
  return [`Its end was moved to ${formatInstant(instant(until))}.`];
}
