import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { present } from "../../../src/core/values/assert.ts";
import type {
  Connector,
  ObjectIdentity,
  ObjectToTakeBack,
  TargetOrder,
} from "../../../src/service/ports/connector.ts";
import { never, orderFor } from "./lab.ts";
import { enter, postgresLab, readsOrders, type PostgresTestLab } from "./postgres-lab.ts";
import type { PostgresInstallation } from "./postgres-server.ts";

/** Access that was given, as its holder sees it and as we do. */
export interface Holder {
  readonly order: TargetOrder & Required<Pick<ObjectToTakeBack, "identity">>;
  readonly url: (database?: string) => string;
  readonly role: string;
}

export interface Holders {
  readonly lab: () => PostgresTestLab;
  readonly connector: () => Connector;
  readonly given: () => Promise<Holder>;
  /** A session that is closed after the test. */
  readonly entered: (url: string) => Promise<Client>;
  /** Neither the sessions nor the password open anything. */
  readonly isOver: (url: string) => Promise<void>;
  readonly isBefore16: () => Promise<boolean>;
}

/** A server for the tests of one describe, each of which must leave nothing behind. */
export function holdersAt(installation: PostgresInstallation): Holders {
  let lab: PostgresTestLab;
  let connector: Connector;
  const clients: Client[] = [];
  beforeAll(async () => {
    lab = await postgresLab(installation);
    connector = await lab.connector();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.end().catch(() => {});
    expect(await connector.listOurs(never())).toEqual([]);
    expect(await lab.run("SELECT FROM pg_roles WHERE rolname LIKE 'jit\\_gr%'")).toEqual([]);
  });
  afterAll(async () => {
    await connector.close();
    await lab.stop();
  });
  return {
    lab: () => lab,
    connector: () => connector,
    async given() {
      const order = orderFor(connector);
      const identity = present<ObjectIdentity>(
        (await connector.provision(order, never())) ?? undefined,
        "an OID",
      );
      const issued = await connector.issue(order, { expiresAt: order.notAfter }, never());
      const url = (database?: string) => lab.server.url(issued.username, issued.secret ?? "", database);
      return { order: { ...order, identity }, url, role: order.object };
    },
    async entered(url) {
      const client = present(await enter(url), "an open door");
      clients.push(client);
      return client;
    },
    async isOver(url) {
      for (const client of clients) expect(await readsOrders(client)).toBe(false);
      expect(await enter(url)).toBeUndefined();
    },
    async isBefore16() {
      const [row] = await lab.run("SELECT current_setting('server_version_num')::int < 160000 AS is");
      return row?.["is"] === true;
    },
  };
}
