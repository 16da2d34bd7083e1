import { assertNever } from "../core/values/assert.ts";
import type { ConnectorSettings } from "../core/values/connector-settings.ts";
import { sameContent } from "../core/values/same-content.ts";
import type { Connector } from "../service/ports/connector.ts";
import type { ServerPorts } from "./shared/connector-ports.ts";

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

/** The same connector as it reaches a place of before; undefined where its kind cannot be pointed there. */
export async function createConnectorAt(
  settings: ConnectorSettings,
  place: string,
  ports: ServerPorts,
): Promise<Connector | undefined> {
  const former = settingsAt(settings, place);
  return former === undefined ? undefined : createConnector(former, ports);
}

/** Places are what the kinds say themselves: `host:port`, two files, an address. */
function settingsAt(settings: ConnectorSettings, place: string): ConnectorSettings | undefined {
  switch (settings.kind) {
    case "postgres":
    case "redis": {
      const url = new URL(settings.url);
      url.host = place;
      // The default port leaves no trace in `host`, so that a place without it is still the same place.
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
