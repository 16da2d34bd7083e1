import { assertNever } from "../core/values/assert.ts";
import type { ConnectorSettings } from "../core/values/connector-settings.ts";
import { sameContent } from "../core/values/same-content.ts";
import type { Connector } from "../service/ports/connector.ts";
import type { ServerPorts } from "./shared/connector-ports.ts";

/** The settings that each connector was created from. */
const settingsOf = new WeakMap<Connector, ConnectorSettings>();

/**
 * Creates one connector per configured entry, by name, without connecting. A driver is loaded only when a connector of
 * its kind is configured, because drivers are slow to load.
 *
 * @param current The connectors before a reload. One with unchanged settings is kept, with its connections.
 */
export async function createConnectors(
  configured: readonly ConnectorSettings[],
  ports: ServerPorts,
  current: ReadonlyMap<string, Connector> = new Map(),
): Promise<ReadonlyMap<string, Connector>> {
  const connectors = await Promise.all(
    configured.map(async (settings) => {
      const before = current.get(settings.name);
      if (before !== undefined && sameContent(settingsOf.get(before), settings)) return before;
      const created = await createConnector(settings, ports);
      settingsOf.set(created, settings);
      return created;
    }),
  );
  return new Map(connectors.map((connector) => [connector.name, connector]));
}

/** The same connector at an earlier place; undefined: its settings cannot be changed to that place. */
export async function createConnectorAt(
  settings: ConnectorSettings,
  place: string,
  ports: ServerPorts,
): Promise<Connector | undefined> {
  const former = settingsAt(settings, place);
  return former === undefined ? undefined : createConnector(former, ports);
}

/** A place is what the connector of this kind reports: `host:port`, two files, or an address. */
function settingsAt(settings: ConnectorSettings, place: string): ConnectorSettings | undefined {
  switch (settings.kind) {
    case "postgres":
    case "redis": {
      const url = new URL(settings.url);
      url.host = place;
      // URL omits the default port, so a place with it and one without it are the same.
      return { ...settings, url: url.href };
    }
    case "ssh": {
      const [krlFile, caKeyFile] = place.split(", certificates of ");
      return krlFile === undefined || caKeyFile === undefined
        ? undefined
        : { ...settings, krlFile, caKeyFile };
    }
    case "webhook":
      return URL.canParse(place) ? { ...settings, url: place } : undefined;
  }
}

async function createConnector(settings: ConnectorSettings, ports: ServerPorts): Promise<Connector> {
  switch (settings.kind) {
    case "postgres":
      return (await import("./postgres/postgres-connector.ts")).createPostgresConnector(settings, ports);
    case "ssh":
      return (await import("./ssh/ssh-connector.ts")).createSshConnector(settings, ports);
    case "redis":
      return (await import("./redis/redis-connector.ts")).createRedisConnector(settings, ports);
    case "webhook":
      return (await import("./webhook/webhook-connector.ts")).createWebhookConnector(settings, ports);
    default:
      return assertNever(settings);
  }
}
