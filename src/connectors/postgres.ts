import { randomBytes } from "node:crypto";
import type { PostgresSettings } from "../core/connector-settings.ts";
import { actionOf } from "../core/scopes.ts";
import { servedScopes } from "../core/connector-settings.ts";
import { ConnectorFault, type Connector, type TargetOrder } from "../service/connector.ts";
import type { ConnectorPorts } from "./connector-ports.ts";
import { formatLabel, objectName, type Owner } from "./label.ts";
import { checkPostgres } from "./postgres-check.ts";
import { inTransaction, openPostgres, type PostgresServer, type Sql } from "./postgres-database.ts";
import { listRoles } from "./postgres-listing.ts";
import { findRole, lockRoles, serverVersion, statements } from "./postgres-roles.ts";
import { endSessions, takeBackRole } from "./postgres-take-back.ts";
import { scramVerifier } from "./scram.ts";
import { shellWord } from "./shell-word.ts";

/** 192 bits, and nothing that a shell, a url or psql would want to be escaped. */
const passwordBytes = 24;

/**
 * A login role per grant, member of the groups that its actions stand for. Every change of a role is one transaction,
 * so a crash leaves it as it was or as it was to be. `server` is replaced in tests that cut the line.
 */
export function createPostgresConnector(
  settings: PostgresSettings,
  { instance, now }: ConnectorPorts,
  server: PostgresServer = openPostgres(settings.name, settings.url),
): Connector {
  const { name, kind } = settings;
  const owner: Owner = { instance, connector: name };
  const place = placeOf(settings);
  return {
    name,
    kind,
    place: serverOf(settings.url),
    serves(scopes) {
      const served = servedScopes(settings, scopes);
      const roles = served.flatMap((scope) => settings.actions[actionOf(scope)]?.roles ?? []);
      return served.length === 0 ? undefined : { scopes: served, rights: { roles: [...new Set(roles)] } };
    },
    objectOf: (grantId) => objectName("jit_", name, grantId),
    provision: (order, signal) => server.use(signal, (sql) => provision(sql, owner, order)),
    async issue(order, { expiresAt }, signal) {
      const password = randomBytes(passwordBytes).toString("base64url");
      await server.use(signal, (sql) =>
        open(sql, owner, { ...order, notAfter: expiresAt }, scramVerifier(password)),
      );
      return {
        connector: name,
        kind,
        where: `${place.host}:${place.port}/${place.database}`,
        username: order.object,
        secret: password,
        expiresAt,
        command: `psql -h ${shellWord(place.host)} -p ${place.port} -U ${shellWord(order.object)} ${shellWord(place.database)}`,
      };
    },
    takeBack: ({ object }, signal) => takeBackRole(server, owner, object, settings.leftoversOwner, signal),
    listOurs: (signal) => server.use(signal, (sql) => listRoles(sql, owner)),
    check: (signal) => checkPostgres(server, settings, now, signal),
    close: () => server.close(),
  };
}

async function provision(sql: Sql, owner: Owner, order: TargetOrder): Promise<void> {
  const roles = order.rights["roles"] ?? [];
  await inTransaction(sql, async () => {
    await lockRoles(sql);
    const version = await serverVersion(sql);
    const found = await findRole(sql, owner, order.object);
    await sql.query(
      found === undefined
        ? statements.create(order.object, order.notAfter)
        : statements.extend(order.object, order.notAfter),
    );
    await sql.query(statements.label(order.object, labelText(owner, order)));
    for (const group of roles) await sql.query(statements.addTo(group, order.object, version));
    await letConnect(sql, order);
  });
}

/** Most databases let everybody connect, and who may not pass that on needs not do so there. */
async function letConnect(sql: Sql, { object, connector }: TargetOrder): Promise<void> {
  const mayConnect = async () =>
    sql.query<{ database: string; may: boolean }>(
      "SELECT current_database() AS database, has_database_privilege($1, current_database(), 'CONNECT') AS may",
      [object],
    );
  const [before] = await mayConnect();
  if (before === undefined || before.may) return;
  await sql.query(statements.connect(before.database, object));
  const [after] = await mayConnect();
  if (after?.may === true) return;
  throw new ConnectorFault(
    "not_permitted",
    `${connector}: the broker may not let others connect to the database ${before.database}.`,
    { retryable: false },
  );
}

async function open(sql: Sql, owner: Owner, order: TargetOrder, verifier: string): Promise<void> {
  const { object, notAfter } = order;
  const found = await inTransaction(sql, async () => {
    await lockRoles(sql);
    const role = await findRole(sql, owner, object);
    if (role === undefined) {
      throw new ConnectorFault("refused", `${owner.connector}: the role ${object} is not there.`, {
        retryable: false,
      });
    }
    await sql.query(statements.open(object, verifier, notAfter));
    await sql.query(statements.label(object, labelText(owner, order)));
    return role;
  });
  // Whoever came in with an earlier password goes with it.
  await endSessions(sql, owner, found.oid);
}

function labelText(owner: Owner, { grantId, notAfter, rights }: TargetOrder): string {
  return formatLabel(owner, { grantId, notAfter, given: rights["roles"] ?? [] });
}

function placeOf({ url, address }: PostgresSettings) {
  const { hostname, port, pathname, username } = new URL(url);
  const shown = address === undefined ? undefined : new URL(`postgres://${address}`);
  return {
    host: bare(shown?.hostname ?? hostname),
    port: (shown?.port ?? port) || "5432",
    database: decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username),
  };
}

/** Roles are the server's, whichever of its databases we come through. */
function serverOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || "5432"}`;
}

/** An IPv6 address stands in brackets in a url and nowhere else. */
function bare(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}
