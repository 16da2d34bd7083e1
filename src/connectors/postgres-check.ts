import { escapeIdentifier as name } from "pg";
import type { PostgresSettings } from "../core/connector-settings.ts";
import type { Instant } from "../core/ids.ts";
import type { CheckFinding } from "../service/connector.ts";
import { finding } from "./check-finding.ts";
import { clockFinding } from "./clock-finding.ts";
import type { PostgresServer, Sql } from "./postgres-database.ts";
import { membershipOptionsSince } from "./postgres-roles.ts";

/** Tested with 15 and 18; before 14 the server lacks what the listing asks for. */
const versionMin = 140_000;

/** Looks at everything a grant will need, changes nothing. */
export async function checkPostgres(
  server: PostgresServer,
  settings: PostgresSettings,
  now: () => Instant,
  signal: AbortSignal,
): Promise<readonly CheckFinding[]> {
  return server.use("claims", signal, async (sql) => {
    const [broker] = await sql.query<Broker>(aboutBroker);
    if (broker === undefined) return [];
    const asked = now();
    const [clock] = await sql.query<{ at: number }>(
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at",
    );
    const groups = [...new Set(Object.values(settings.actions).flatMap(({ roles }) => roles))];
    const aboutGroups: CheckFinding[] = [];
    for (const group of groups) aboutGroups.push(...(await groupFindings(sql, broker, group)));
    return [
      finding(`PostgreSQL ${broker.serverVersion}`, broker.version >= versionMin),
      clockFinding(clock?.at ?? 0, asked, now()),
      ...brokerFindings(broker),
      ...aboutGroups,
      await ownerFinding(sql, broker, settings.leftoversOwner),
      ...(await databaseFindings(sql, broker)),
    ];
  });
}

interface Broker {
  readonly role: string;
  readonly serverVersion: string;
  readonly version: number;
  readonly isSuperuser: boolean;
  readonly createsRoles: boolean;
  readonly endsSessions: boolean;
}

const aboutBroker = `
  SELECT current_user::text AS role, current_setting('server_version') AS "serverVersion",
         current_setting('server_version_num')::int AS version, rolsuper AS "isSuperuser",
         rolcreaterole AS "createsRoles", pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS "endsSessions"
    FROM pg_roles WHERE rolname = current_user`;

function brokerFindings({ role, isSuperuser, createsRoles, endsSessions }: Broker): CheckFinding[] {
  return [
    finding(`The broker ${role} is no superuser`, !isSuperuser, `ALTER ROLE ${name(role)} NOSUPERUSER;`),
    finding("The broker may make roles", createsRoles, `ALTER ROLE ${name(role)} CREATEROLE;`),
    finding("The broker may end sessions", endsSessions, `GRANT pg_signal_backend TO ${name(role)};`),
  ];
}

async function groupFindings(sql: Sql, broker: Broker, group: string): Promise<CheckFinding[]> {
  const [found] = await sql.query<{ login: boolean; powers: boolean; mayGrant: boolean }>(
    `SELECT rolcanlogin AS login, rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls AS powers,
            EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member
                     WHERE m.roleid = g.oid AND u.rolname = current_user AND m.admin_option) AS "mayGrant"
       FROM pg_roles g WHERE rolname = $1`,
    [group],
  );
  if (found === undefined) {
    return [finding(`The role ${group} exists`, false, `CREATE ROLE ${name(group)} NOLOGIN;`)];
  }
  // Before 16 whoever may make roles may also give away any that is no superuser's.
  const mayGrant =
    found.mayGrant || broker.isSuperuser || (broker.version < membershipOptionsSince && broker.createsRoles);
  return [
    finding(
      `The broker may give ${group}`,
      mayGrant,
      `GRANT ${name(group)} TO ${name(broker.role)} WITH ADMIN OPTION${broker.version >= membershipOptionsSince ? ", INHERIT FALSE, SET FALSE" : ""};`,
    ),
    finding(
      `The role ${group} is a group without powers over the server`,
      !found.powers,
      `ALTER ROLE ${name(group)} NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION NOBYPASSRLS;`,
    ),
  ];
}

async function ownerFinding(sql: Sql, broker: Broker, leftoversOwner: string): Promise<CheckFinding> {
  const [found] = await sql.query<{ usable: boolean }>(
    `SELECT pg_has_role(current_user, oid, 'USAGE') AS usable FROM pg_roles WHERE rolname = $1`,
    [leftoversOwner],
  );
  return finding(
    `What a role leaves behind can go to ${leftoversOwner}`,
    found === undefined || found.usable,
    `GRANT ${name(leftoversOwner)} TO ${name(broker.role)};`,
  );
}

/** A role of ours may own something wherever it can connect, and the broker has to follow it there. */
async function databaseFindings(sql: Sql, broker: Broker): Promise<CheckFinding[]> {
  const rows = await sql.query<{ database: string; may: boolean; passesOn: boolean; open: boolean }>(
    `SELECT datname::text AS database, has_database_privilege(current_user, oid, 'CONNECT') AS may,
            has_database_privilege(current_user, oid, 'CONNECT WITH GRANT OPTION') AS "passesOn",
            EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) a
                     WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT') AS open
       FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname`,
  );
  const [here] = await sql.query<{ database: string }>("SELECT current_database() AS database");
  return rows.map(({ database, may, passesOn, open }) => {
    const grant = `GRANT CONNECT ON DATABASE ${name(database)} TO ${name(broker.role)}`;
    return database === here?.database
      ? finding(`Who gets access can connect to ${database}`, open || passesOn, `${grant} WITH GRANT OPTION;`)
      : finding(`The broker can follow into ${database}`, may, `${grant};`);
  });
}
