import { escapeIdentifier as name } from "pg";
import type { CheckFinding } from "../../service/ports/connector.ts";
import { finding, notVerified } from "../shared/check-finding.ts";
import type { Broker } from "./broker.ts";
import type { Sql } from "./server.ts";
import { membershipOptionsSince } from "./roles.ts";

/** Roles with powers over the server or the broker: a member could keep their access or take over another's. */
const powerfulRoles = new Set([
  "pg_execute_server_program",
  "pg_write_server_files",
  "pg_read_server_files",
  "pg_signal_backend",
  "pg_create_subscription",
  "pg_maintain",
  "pg_use_reserved_connections",
]);

interface ReachedRole {
  readonly role: string;
  readonly powers: readonly string[];
  readonly login: boolean;
  readonly passesOn: readonly string[];
  readonly owns: number;
}

/** The group and, recursively, every role it is a member of, because a member has or can get all their rights. */
const everythingReached = `
  WITH RECURSIVE reached (oid) AS (
    SELECT oid FROM pg_roles WHERE rolname = $1
    UNION SELECT m.roleid FROM pg_auth_members m JOIN reached r ON m.member = r.oid)
  SELECT g.rolname::text AS role, g.rolcanlogin AS login,
         array_remove(ARRAY[
           CASE WHEN g.rolsuper THEN 'SUPERUSER' END, CASE WHEN g.rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN g.rolcreatedb THEN 'CREATEDB' END, CASE WHEN g.rolreplication THEN 'REPLICATION' END,
           CASE WHEN g.rolbypassrls THEN 'BYPASSRLS' END], NULL) AS powers,
         ARRAY(SELECT DISTINCT o.rolname::text FROM pg_auth_members m JOIN pg_roles o ON o.oid = m.roleid
                WHERE m.member = g.oid AND m.admin_option ORDER BY 1) AS "passesOn",
         (SELECT count(*)::int FROM pg_shdepend s
           WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = g.oid AND s.deptype = 'o') AS owns
    FROM reached JOIN pg_roles g USING (oid) ORDER BY g.rolname <> $1, g.rolname`;

/** Checks that the broker can grant the group, and what the group grants beyond access to data. */
export async function groupFindings(sql: Sql, broker: Broker, group: string): Promise<CheckFinding[]> {
  const reached = await sql.query<ReachedRole & Record<string, unknown>>(everythingReached, [group]);
  if (reached.length === 0) {
    return [finding(`The role ${group} exists`, false, `CREATE ROLE ${name(group)} NOLOGIN;`)];
  }
  return [
    await grantFinding(sql, broker, group),
    ...powerFindings(group, reached),
    loginFinding(group, reached),
    ...reached.flatMap((role) => remainderFindings(group, role)),
  ];
}

async function grantFinding(sql: Sql, broker: Broker, group: string): Promise<CheckFinding> {
  const [found] = await sql.query<{ may: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles u ON u.oid = m.member
                     WHERE g.rolname = $1 AND u.rolname = current_user AND m.admin_option) AS may`,
    [group],
  );
  const hasOptions = broker.version >= membershipOptionsSince;
  // Before 16, CREATEROLE allows granting any role except a superuser.
  const may = found?.may === true || broker.isSuperuser || (!hasOptions && broker.createsRoles);
  const options = hasOptions ? ", INHERIT FALSE, SET FALSE" : "";
  return finding(
    `The broker may grant ${group}`,
    may,
    `GRANT ${name(group)} TO ${name(broker.role)} WITH ADMIN OPTION${options};`,
  );
}

function powerFindings(group: string, reached: readonly ReachedRole[]): readonly CheckFinding[] {
  const what = `The role ${group} is a group without powers over the server`;
  const powerful = reached.filter(({ role, powers }) => powers.length > 0 || powerfulRoles.has(role));
  if (powerful.length === 0) return [finding(what, true)];
  return powerful.map(({ role, powers }) => {
    if (role === group && powers.length > 0) {
      return finding(
        `${what}: it is ${powers.join(", ")}`,
        false,
        `ALTER ROLE ${name(role)} ${powers.map((power) => `NO${power}`).join(" ")};`,
      );
    }
    if (role === group) {
      return finding(
        `${what}: ${role} is a predefined role with such powers`,
        false,
        `-- name a group of your own in place of ${role}`,
      );
    }
    const why = powers.length > 0 ? `${role} is ${powers.join(", ")}` : `${role} grants them`;
    return finding(
      `${what}: it is a member of ${role}, and ${why}`,
      false,
      `REVOKE ${name(role)} FROM ${name(group)}; -- or from the role between them`,
    );
  });
}

/** Before 16, a member can SET ROLE to the group and set its password, which outlives the access. */
function loginFinding(group: string, reached: readonly ReachedRole[]): CheckFinding {
  const open = reached.filter(({ login }) => login).map(({ role }) => role);
  return finding(
    open.length === 0
      ? `Nobody can log in as ${group}`
      : `Nobody can log in as ${group}: ${open.join(", ")} has LOGIN, and a member who becomes it can set its password`,
    open.length === 0,
    open.map((role) => `ALTER ROLE ${name(role)} NOLOGIN;`).join("\n"),
  );
}

/** Rights that a holder can pass on permanently. Only an administrator can say whether that is intended. */
function remainderFindings(group: string, { role, passesOn, owns }: ReachedRole): readonly CheckFinding[] {
  const isPredefined = role.startsWith("pg_") && !powerfulRoles.has(role);
  return [
    ...(isPredefined
      ? [
          notVerified(
            `What ${group} grants`,
            `${role} reaches all databases of the server, not only this one`,
          ),
        ]
      : []),
    ...(passesOn.length > 0
      ? [
          finding(
            `${group} cannot add members to other roles: ${role} may grant ${passesOn.join(", ")} to others, permanently`,
            false,
            passesOn
              .map((granted) => `REVOKE ADMIN OPTION FOR ${name(granted)} FROM ${name(role)};`)
              .join("\n"),
          ),
        ]
      : []),
    ...(owns > 0
      ? [
          notVerified(
            `What stays after access to ${group}`,
            `${role} owns ${owns} ${owns === 1 ? "object" : "objects"}, and its members can grant permanent rights on them to others`,
          ),
        ]
      : []),
  ];
}
