import type { ConnectorSettings } from "../core/values/connector-settings.ts";
import { environmentName } from "./schemas/env-reference.ts";
import type { WrittenConnector } from "./schemas/connector.ts";
import type { PlacedProblem } from "../core/values/refusals.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** In place of what a variable does not say; nobody is at this address, by RFC 2606. */
const nowhere = {
  postgres: "postgres://unset.invalid",
  redis: "redis://unset.invalid",
  webhook: "https://unset.invalid",
  secret: `whsec_${"A".repeat(32)}`,
} as const;

/**
 * The connectors with their secrets; call only when {@link connectorProblems} has found nothing. One of
 * {@link unusableConnectors} gets an address where nobody is.
 */
export function connectorSettings(
  written: readonly WrittenConnector[],
  environment: Environment,
): readonly ConnectorSettings[] {
  const unusable = unusableConnectors(written, environment);
  const resolved = (text: string): string => {
    const variable = environmentName(text);
    return variable === undefined ? text : (environment[variable] ?? "");
  };
  return written.map((connector): ConnectorSettings => {
    const isUsable = !unusable.has(connector.name);
    switch (connector.kind) {
      case "postgres":
        return { ...connector, url: isUsable ? resolved(connector.url) : nowhere.postgres };
      case "redis":
        return { ...connector, url: isUsable ? resolved(connector.url) : nowhere.redis };
      case "ssh":
        return connector;
      case "webhook":
        return {
          ...connector,
          url: isUsable ? resolved(connector.url) : nowhere.webhook,
          secret: isUsable ? resolved(connector.secret) : nowhere.secret,
        };
    }
  });
}

/** By the name of the connector, what is wrong with a variable it takes its address or its secret from. */
export function unusableConnectors(
  written: readonly WrittenConnector[],
  environment: Environment,
): ReadonlyMap<string, string> {
  return new Map(
    written.flatMap((connector, index) => {
      const [problem] = secretProblems(connector, index, environment);
      return problem === undefined ? [] : [[connector.name, problem.message] as const];
    }),
  );
}

/**
 * What no connector can know by itself: who else serves its resources, and whether its secrets make sense.
 *
 * @param held Connectors that hold objects of ours: a variable that is lost must not keep everybody else from access.
 */
export function connectorProblems(
  written: readonly WrittenConnector[],
  environment: Environment,
  held: ReadonlySet<string>,
): readonly PlacedProblem[] {
  return [
    ...claimProblems(written),
    ...listFileProblems(written),
    ...written.flatMap((connector, index) =>
      held.has(connector.name) ? [] : secretProblems(connector, index, environment),
    ),
  ];
}

/** One scope is given in one place: two would each believe the other's objects to be strangers, and so would people. */
function claimProblems(written: readonly WrittenConnector[]): readonly PlacedProblem[] {
  const claims = new Map<string, number>();
  const found: PlacedProblem[] = [];
  for (const [index, { resources, actions }] of written.entries()) {
    for (const [place, resource] of resources.entries()) {
      for (const action of Object.keys(actions)) {
        const scope = `${action}:${resource}`;
        const first = claims.get(scope);
        if (first === undefined) claims.set(scope, index);
        else {
          const path = ["connectors", String(index), "resources", String(place)];
          found.push({
            path,
            message: `${scope} is served by ${written[first]?.name} already (connectors.${first})`,
          });
        }
      }
    }
  }
  return found;
}

/** A revocation list is written whole by one connector: another would write over it. */
function listFileProblems(written: readonly WrittenConnector[]): readonly PlacedProblem[] {
  const firsts = new Map<string, number>();
  return written.flatMap((connector, index) => {
    if (connector.kind !== "ssh") return [];
    const first = firsts.get(connector.krlFile);
    if (first === undefined) {
      firsts.set(connector.krlFile, index);
      return [];
    }
    return [
      {
        path: ["connectors", String(index), "krlFile"],
        message: `is written by connectors.${first} already`,
      },
    ];
  });
}

/** Says what a variable should hold, never what it holds. */
function secretProblems(
  connector: WrittenConnector,
  index: number,
  environment: Environment,
): readonly PlacedProblem[] {
  return referencesOf(connector).flatMap(({ field, text, isGood, expects }) => {
    const variable = environmentName(text);
    const path = ["connectors", String(index), field];
    if (variable === undefined) return isGood(text) ? [] : [{ path, message: `must be ${expects}` }];
    const value = environment[variable] ?? "";
    if (value === "") return [{ path, message: `the environment variable ${variable} is not set` }];
    return isGood(value)
      ? []
      : [{ path, message: `the environment variable ${variable} must hold ${expects}` }];
  });
}

interface Reference {
  readonly field: string;
  readonly text: string;
  readonly isGood: (value: string) => boolean;
  readonly expects: string;
}

function referencesOf(connector: WrittenConnector): readonly Reference[] {
  switch (connector.kind) {
    case "postgres":
      return [
        {
          field: "url",
          text: connector.url,
          isGood: (value) => hasProtocol(value, ["postgres:", "postgresql:"]),
          expects: "an address that begins with postgres://",
        },
      ];
    case "redis":
      return [
        {
          field: "url",
          text: connector.url,
          isGood: (value) => hasProtocol(value, ["redis:", "rediss:"]),
          expects: "an address that begins with redis:// or rediss://",
        },
      ];
    case "ssh":
      return [];
    case "webhook":
      return [
        {
          field: "url",
          text: connector.url,
          isGood: (value) => hasProtocol(value, connector.allowPrivate ? ["https:", "http:"] : ["https:"]),
          expects: "an address that begins with https:// (http:// only with allowPrivate)",
        },
        {
          field: "secret",
          text: connector.secret,
          isGood: isWebhookSecret,
          expects: "whsec_ and 24 to 64 bytes in base64",
        },
      ];
  }
}

function hasProtocol(value: string, protocols: readonly string[]): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return url !== undefined && protocols.includes(url.protocol) && url.hostname !== "";
}

function isWebhookSecret(value: string): boolean {
  const base64 = /^whsec_([A-Za-z0-9+/]{32,88}={0,2})$/.exec(value)?.[1];
  return base64 !== undefined && base64.length % 4 === 0 && base64.replaceAll("=", "").length * 0.75 <= 64;
}
