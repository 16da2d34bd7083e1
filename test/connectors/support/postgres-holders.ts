import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { assertPresent } from "../../../src/core/values/assert.ts";
import type {
  Connector,
  ObjectIdentity,
  ObjectToTakeBack,
  TargetSpec,
} from "../../../src/service/ports/connector.ts";
import { never, specFor } from "./connector-harness.ts";
import { logIn, openPostgresHarness, readsOrders, type PostgresHarness } from "./postgres-harness.ts";
import type { PostgresInstallation } from "./postgres-server.ts";

/** Access that was issued: its spec, and its credentials. */
export interface Holder {
  readonly spec: TargetSpec & Required<Pick<ObjectToTakeBack, "identity">>;
  readonly url: (database?: string) => string;
  readonly role: string;
}

export interface Holders {
  readonly harness: () => PostgresHarness;
  readonly connector: () => Connector;
  readonly grantAccess: () => Promise<Holder>;
  /** Opens a session that is closed after the test. */
  readonly connected: (url: string) => Promise<Client>;
  /** Asserts that sessions and password give no access any more. */
  readonly expectNoAccess: (url: string) => Promise<void>;
  readonly isBefore16: () => Promise<boolean>;
}

/** A server for the tests of one describe. Each test must leave nothing behind. */
export function holdersAt(installation: PostgresInstallation): Holders {
  let harness: PostgresHarness;
  let connector: Connector;
  const clients: Client[] = [];
  beforeAll(async () => {
    harness = await openPostgresHarness(installation);
    connector = await harness.connector();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end().catch(() => {});
    expect(await connector.listManaged(never())).toEqual([]);
    expect(await harness.run("SELECT FROM pg_roles WHERE rolname LIKE 'jit\\_gr%'")).toEqual([]);
  });
  afterAll(async () => {
    await connector.close();
    await harness.stop();
  });
  return {
    harness: () => harness,
    connector: () => connector,
    async grantAccess() {
      const spec = specFor(connector);
      const identity = assertPresent<ObjectIdentity>(
        (await connector.provision(spec, never())) ?? undefined,
        "an OID",
      );
      const target = await connector.issue(spec, { expiresAt: spec.notAfter }, never());
      const url = (database?: string) => harness.server.url(target.username, target.secret ?? "", database);
      return { spec: { ...spec, identity }, url, role: spec.object };
    },
    async connected(url) {
      const client = assertPresent(await logIn(url), "an accepted login");
      clients.push(client);
      return client;
    },
    async expectNoAccess(url) {
      for (const client of clients) expect(await readsOrders(client)).toBe(false);
      expect(await logIn(url)).toBeUndefined();
    },
    async isBefore16() {
      const [row] = await harness.run("SELECT current_setting('server_version_num')::int < 160000 AS is");
      return row?.["is"] === true;
    },
  };
}
