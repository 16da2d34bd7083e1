import { escapeIdentifier as name } from "pg";
import type { PostgresSettings } from "../../core/values/connector-settings.ts";
import type { Instant } from "../../core/values/ids.ts";
import { ConnectorFault, type CheckFinding } from "../../service/ports/connector.ts";
import { finding, notVerified } from "../shared/check-finding.ts";
import { clockFinding } from "../shared/check-clock.ts";
import type { PostgresServer, Sql } from "./server.ts";
import { aboutBroker, type Broker } from "./broker.ts";
import { groupFindings } from "./check-groups.ts";
import { tryLifecycle } from "./check-trial.ts";

/** Tested with 15 and 18. Versions before 14 lack columns that the listing needs. */
const versionMin = 140_000;

/** Checks everything that a grant needs, and tries what can be rolled back. Changes nothing. */
export async function checkPostgres(
  server: PostgresServer,
  settings: PostgresSettings,
  now: () => Instant,
  signal: AbortSignal,
): Promise<readonly CheckFinding[]> {
  const { leftoversOwner } = settings;
  const groups = [...new Set(Object.values(settings.actions).flatMap(({ roles }) => roles))].toSorted();
  const { findings, databases } = await server.use("claims", signal, async (sql) => {
    const [broker] = await sql.query<Broker>(aboutBroker);
    if (broker === undefined) return { findings: [], databases: [] };
    const asked = now();
    const [clock] = await sql.query<{ at: number }>(
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS at",
    );
    const aboutGroups: CheckFinding[] = [];
    for (const group of groups) aboutGroups.push(...(await groupFindings(sql, broker, group)));
    const reachable = await databaseFindings(sql, broker);
    const checks = [
      finding(`PostgreSQL ${broker.serverVersion}`, broker.version >= versionMin),
      clockFinding(clock?.at ?? 0, asked, now()),
      ...serverFindings(broker),
      ...brokerFindings(broker),
      ...aboutGroups,
      await ownerFinding(sql, broker, leftoversOwner),
      ...reachable.findings,
    ];
    const isInOrder = checks.every(({ result }) => result !== "problem");
    const tried = isInOrder
      ? await tryLifecycle(sql, broker, groups, leftoversOwner)
      : notVerified("Access can be provisioned and taken back", "there are problems to be fixed first");
    return { findings: [...checks, tried], databases: reachable.toFollow };
  });
  return [...findings, ...(await followFindings(server, databases, signal))];
}

function serverFindings({ isReadOnly, preparedMax }: Broker): CheckFinding[] {
  return [
    finding(
      isReadOnly
        ? "Roles can be made here: this is a read replica, or its transactions are read only"
        : "Roles can be made here: this is no read replica",
      !isReadOnly,
      "-- name the primary in the url",
    ),
    preparedMax === 0
      ? finding("No transaction can be prepared, so none outlives its session", true)
      : notVerified(
          "That nothing prepared outlives access",
          `max_prepared_transactions is ${preparedMax}, and one prepared as a group cannot be attributed to anyone`,
          "ALTER SYSTEM SET max_prepared_transactions = 0; -- unless somebody needs it; takes a restart",
        ),
  ];
}

function brokerFindings({ role, isSuperuser, createsRoles, endsSessions }: Broker): CheckFinding[] {
  return [
    finding(
      `The broker ${role} is no superuser, nor a member of one`,
      !isSuperuser,
      `ALTER ROLE ${name(role)} NOSUPERUSER; -- and take it out of every superuser's role`,
    ),
    finding("The broker may make roles", createsRoles, `ALTER ROLE ${name(role)} CREATEROLE;`),
    finding("The broker may end sessions", endsSessions, `GRANT pg_signal_backend TO ${name(role)};`),
  ];
}

async function ownerFinding(sql: Sql, broker: Broker, leftoversOwner: string): Promise<CheckFinding> {
  const [found] = await sql.query<{ usable: boolean }>(
    `SELECT pg_has_role(current_user, oid, 'USAGE') AS usable FROM pg_roles WHERE rolname = $1`,
    [leftoversOwner],
  );
  return finding(
    `Leftovers of a role can be given to ${leftoversOwner}`,
    found === undefined || found.usable,
    `GRANT ${name(leftoversOwner)} TO ${name(broker.role)};`,
  );
}

interface ReachableDatabases {
  readonly findings: readonly CheckFinding[];
  /** Other databases that the broker has the right to connect to; a connection is tried. */
  readonly toFollow: readonly string[];
}

/** A role of ours may own objects wherever it can connect, so the broker must be able to connect there too. */
async function databaseFindings(sql: Sql, broker: Broker): Promise<ReachableDatabases> {
  const rows = await sql.query<{ database: string; may: boolean; passesOn: boolean; open: boolean }>(
    `SELECT datname::text AS database, has_database_privilege(current_user, oid, 'CONNECT') AS may,
            has_database_privilege(current_user, oid, 'CONNECT WITH GRANT OPTION') AS "passesOn",
            EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba))) a
                     WHERE a.grantee = 0 AND a.privilege_type = 'CONNECT') AS open
       FROM pg_database WHERE datallowconn AND NOT datistemplate ORDER BY datname`,
  );
  const [here] = await sql.query<{ database: string }>("SELECT current_database() AS database");
  const grant = (database: string) => `GRANT CONNECT ON DATABASE ${name(database)} TO ${name(broker.role)}`;
  const others = rows.filter(({ database }) => database !== here?.database);
  return {
    findings: [
      ...rows
        .filter(({ database }) => database === here?.database)
        .map(({ database, open, passesOn }) =>
          finding(
            `Granted roles can connect to ${database}`,
            open || passesOn,
            `${grant(database)} WITH GRANT OPTION;`,
          ),
        ),
      ...others
        .filter(({ may }) => !may)
        .map(({ database }) =>
          finding(`The broker can connect to ${database}`, false, `${grant(database)};`),
        ),
    ],
    toFollow: others.filter(({ may }) => may).map(({ database }) => database),
  };
}

/** Limits the duration of a check, because a server may have thousands of databases. */
const followedMax = 10;

/** Connects to the other databases, because pg_hba.conf may reject the broker despite its rights. */
async function followFindings(
  server: PostgresServer,
  databases: readonly string[],
  signal: AbortSignal,
): Promise<readonly CheckFinding[]> {
  const followed = await Promise.all(
    databases.slice(0, followedMax).map(async (database) => {
      const what = `The broker can connect to ${database}`;
      try {
        await server.useIn(database, signal, (sql) => sql.query("SELECT 1"));
        return finding(what, true);
      } catch (error) {
        const why = error instanceof ConnectorFault ? (error.reason ?? error.code) : "unknown";
        return finding(`${what}: ${why}`, false, "-- see pg_hba.conf of the server");
      }
    }),
  );
  const left = databases.length - followed.length;
  return left === 0
    ? followed
    : [
        ...followed,
        notVerified("That the broker can connect to every database", `${left} more databases were not tried`),
      ];
}
