import { Client } from "pg";
import { createPostgresConnector } from "../../../src/connectors/postgres/postgres-connector.ts";
import type { PostgresServer } from "../../../src/connectors/postgres/server.ts";
import type { PostgresSettings } from "../../../src/core/values/connector-settings.ts";
import { instant } from "../../../src/core/values/ids.ts";
import { createKeyedMutex } from "../../../src/service/async/keyed-mutex.ts";
import type { Connector } from "../../../src/service/ports/connector.ts";
import { freePort } from "../../proxies/support/ports.ts";
import type { TargetKind, ConnectorHarness, TargetSession } from "./connector-harness.ts";
import { startPostgres, type PostgresInstallation, type PostgresServerHarness } from "./postgres-server.ts";

/** Exactly the rights that a broker needs, as in docs/connectors/postgres.md. */
export const brokerSetup = (version: number): readonly string[] => [
  "CREATE ROLE broker LOGIN CREATEROLE PASSWORD 'broker-password'",
  "GRANT pg_signal_backend TO broker",
  "CREATE ROLE orders_read NOLOGIN",
  `GRANT orders_read TO broker WITH ADMIN OPTION${version >= 16 ? ", INHERIT FALSE, SET FALSE" : ""}`,
  "CREATE ROLE orders_write NOLOGIN",
  "CREATE ROLE owner NOLOGIN",
  "CREATE DATABASE orders OWNER owner",
  "CREATE DATABASE billing",
  "REVOKE CONNECT ON DATABASE orders FROM PUBLIC",
  "GRANT CONNECT ON DATABASE orders TO broker WITH GRANT OPTION",
];

const tables = [
  "CREATE TABLE orders (id int)",
  "INSERT INTO orders VALUES (1)",
  "GRANT SELECT ON orders TO orders_read",
  "GRANT INSERT, DELETE ON orders TO orders_write",
  "GRANT CREATE ON SCHEMA public TO orders_read",
];

export interface PostgresHarness extends ConnectorHarness {
  readonly server: PostgresServerHarness;
  readonly settings: PostgresSettings;
  readonly run: (sql: string, database?: string) => Promise<Record<string, unknown>[]>;
  /** A connector on this connection, which tests can cut. */
  readonly over: (server: PostgresServer) => Connector;
}

export async function openPostgresHarness(installation: PostgresInstallation): Promise<PostgresHarness> {
  const server = await startPostgres(installation);
  const run = async (sql: string, database?: string) => {
    const admin = await server.admin(database);
    try {
      return (await admin.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await admin.end();
    }
  };
  const [row] = await run("SELECT current_setting('server_version_num')::int / 10000 AS version");
  for (const statement of brokerSetup(Number(row?.["version"]))) await run(statement);
  for (const database of ["orders", "billing"])
    for (const statement of tables) await run(statement, database);
  const settings: PostgresSettings = {
    kind: "postgres",
    name: "orders-db",
    url: server.url("broker", "broker-password"),
    leftoversOwner: "jit_leftovers",
    resources: ["prod:orders-db"],
    actions: { read: { roles: ["orders_read"] } },
  };
  const mutex = createKeyedMutex();
  const ports = (instance = "ours") => ({ instance, now: () => instant(Date.now()), mutex });
  return {
    server,
    settings,
    run,
    over: (connection) => createPostgresConnector(settings, ports(), connection),
    connector: async ({ name = settings.name, instance } = {}) =>
      createPostgresConnector({ ...settings, name }, ports(instance)),
    at: (to) =>
      createPostgresConnector({ ...settings, url: `postgres://b:x@127.0.0.1:${to}/orders` }, ports()),
    unreachable: async () =>
      createPostgresConnector(
        { ...settings, url: `postgres://broker:x@127.0.0.1:${await freePort()}/orders` },
        ports(),
      ),
    openSession: ({ username, secret }) => openSession(server.url(username, secret ?? "")),
    makeForeign: async (object) => void (await run(`CREATE ROLE "${object}" NOLOGIN`)),
    hasForeignObject: async (object) =>
      (await run(`SELECT FROM pg_roles WHERE rolname = '${object}'`)).length === 1,
    tampering: [
      {
        what: "a later expiry",
        byHand: async (role) => void (await run(`ALTER ROLE "${role}" VALID UNTIL '2100-01-01'`)),
        reported: /end was moved to 2100-01-01/,
      },
      {
        what: "no expiry",
        byHand: async (role) => void (await run(`ALTER ROLE "${role}" VALID UNTIL 'infinity'`)),
        reported: /end was taken off/,
      },
      {
        what: "another role",
        byHand: async (role) => void (await run(`GRANT orders_write TO "${role}"`)),
        reported: /added to the role orders_write/,
      },
      {
        what: "a power",
        byHand: async (role) => void (await run(`ALTER ROLE "${role}" CREATEDB`)),
        reported: /made CREATEDB/,
      },
      {
        what: "a right removed",
        byHand: async (role) =>
          void (await run(
            `REVOKE orders_read FROM "${role}"${Number(row?.["version"]) >= 16 ? " GRANTED BY broker" : ""}`,
          )),
        reported: /taken out of the role orders_read/,
      },
      {
        what: "a member added to it",
        byHand: async (role) => void (await run(`GRANT "${role}" TO orders_write`)),
        reported: /role orders_write was added to it/,
      },
    ],
    drop: async (role) => {
      await run(`SET ROLE broker; REVOKE CONNECT ON DATABASE orders FROM "${role}"`);
      await run(`DROP ROLE "${role}"`);
    },
    stop: () => server.stop(),
  };
}

/** Logs in with a password; undefined: the login was rejected. */
export async function logIn(url: string): Promise<Client | undefined> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch {
    return undefined;
  }
}

export async function readsOrders(client: Client): Promise<boolean> {
  try {
    return (await client.query("SELECT * FROM orders")).rowCount === 1;
  } catch {
    return false;
  }
}

async function openSession(url: string): Promise<TargetSession | undefined> {
  const client = await logIn(url);
  return client && { reads: () => readsOrders(client), close: () => client.end().catch(() => {}) };
}

export function postgresKind(installation: PostgresInstallation): TargetKind {
  return {
    name: installation.name,
    ...(installation.missing !== undefined && { missing: installation.missing }),
    start: () => openPostgresHarness(installation),
    hasForeign: true,
    endsSessions: true,
  };
}
