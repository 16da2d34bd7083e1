import { assertNever } from "../core/assert.ts";
import type { ConnectorSettings } from "../core/connector-settings.ts";
import { sameContent } from "../core/content.ts";
import type { Connector } from "../service/connector.ts";
import type { ServerPorts } from "./connector-ports.ts";

/** What each was made from. */
const madeFrom = new WeakMap<Connector, ConnectorSettings>();

/**
 * One connector per entry of the configuration, by name. Nothing is connected to yet. A kind's driver is loaded only
 * when such a connector is configured, for drivers are slow to load.
 *
 * @param inForce Those of before a reload: one whose settings are still the same stays, with its connections.
 */
export async function createConnectors(
  configured: readonly ConnectorSettings[],
  ports: ServerPorts,
  inForce: ReadonlyMap<string, Connector> = new Map(),
): Promise<ReadonlyMap<string, Connector>> {
  const connectors = await Promise.all(
    configured.map(async (settings) => {
      const before = inForce.get(settings.name);
      if (before !== undefined && sameContent(madeFrom.get(before), settings)) return before;
      const made = await createConnector(settings, ports);
      madeFrom.set(made, settings);
      return made;
    }),
  );
  return new Map(connectors.map((connector) => [connector.name, connector]));
}

async function createConnector(settings: ConnectorSettings, ports: ServerPorts): Promise<Connector> {
  switch (settings.kind) {
    case "postgres":
      return (await import("./postgres.ts")).createPostgresConnector(settings, ports);
    case "ssh":
      return (await import("./ssh.ts")).createSshConnector(settings, ports);
    case "redis":
      return (await import("./redis.ts")).createRedisConnector(settings, ports);
    case "webhook":
      return (await import("./webhook.ts")).createWebhookConnector(settings, ports);
    default:
      return assertNever(settings);
  }
}
