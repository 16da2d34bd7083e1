import type { ConnectorSettings } from "../core/values/connector-settings.ts";
import { environmentName } from "./schemas/env-reference.ts";
import type { WrittenConnector } from "./schemas/connector.ts";
import type { PlacedProblem } from "../core/values/refusals.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Placeholders for variables that are not set. RFC 2606 guarantees that these hosts never exist. */
const unreachable = {
  postgres: "postgres://unset.invalid",
  redis: "redis://unset.invalid",
  webhook: "https://unset.invalid",
  secret: `whsec_${"A".repeat(32)}`,
} as const;

/**
 * Resolves the secrets of connectors. Call it only if {@link connectorProblems} found nothing. The
 * {@link unusableConnectors} get an unreachable address.
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
        return { ...connector, url: isUsable ? resolved(connector.url) : unreachable.postgres };
      case "redis":
        return { ...connector, url: isUsable ? resolved(connector.url) : unreachable.redis };
      case "ssh":
        return connector;
      case "webhook":
        return {
          ...connector,
          url: isUsable ? resolved(connector.url) : unreachable.webhook,
          secret: isUsable ? resolved(connector.secret) : unreachable.secret,
        };
    }
  });
}

/** The problem with a connector's address or secret variable, by connector name. */
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
 * Finds problems across connectors: scopes served twice, and invalid secrets.
 *
 * @param inUse Connectors that hold objects. Their lost variables are no problem, so that everybody else keeps access.
 */
export function connectorProblems(
  written: readonly WrittenConnector[],
  environment: Environment,
  inUse: ReadonlySet<string>,
): readonly PlacedProblem[] {
  return [
    ...claimProblems(written),
    ...listFileProblems(written),
    ...written.flatMap((connector, index) =>
      inUse.has(connector.name) ? [] : secretProblems(connector, index, environment),
    ),
  ];
}

/** Each scope belongs to one connector. With two, each would treat the other's objects as orphans. */
function claimProblems(written: readonly WrittenConnector[]): readonly PlacedProblem[] {
  const claims = new Map<string, number>();
  const found: PlacedProblem[] = [];
  for (const [index, { resources, actions }] of written.entries()) {
    for (const [position, resource] of resources.entries()) {
      for (const action of Object.keys(actions)) {
        const scope = `${action}:${resource}`;
        const first = claims.get(scope);
        if (first === undefined) claims.set(scope, index);
        else {
          const path = ["connectors", String(index), "resources", String(position)];
          found.push({
            path,
            message: `${scope} is already served by ${written[first]?.name} (connectors.${first})`,
          });
        }
      }
    }
  }
  return found;
}

/** Each revocation list belongs to one connector. A second one would overwrite it. */
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
        message: `is already written by connectors.${first}`,
      },
    ];
  });
}

/** Problems with a connector's variables. They name what is expected, never the value. */
function secretProblems(
  connector: WrittenConnector,
  index: number,
  environment: Environment,
): readonly PlacedProblem[] {
  return referencesOf(connector).flatMap(({ field, text, isValid, expects }) => {
    const variable = environmentName(text);
    const path = ["connectors", String(index), field];
    if (variable === undefined) return isValid(text) ? [] : [{ path, message: `must be ${expects}` }];
    const value = environment[variable] ?? "";
    if (value === "") return [{ path, message: `the environment variable ${variable} is not set` }];
    return isValid(value)
      ? []
      : [{ path, message: `the environment variable ${variable} must hold ${expects}` }];
  });
}

interface Reference {
  readonly field: string;
  readonly text: string;
  readonly isValid: (value: string) => boolean;
  readonly expects: string;
}

function referencesOf(connector: WrittenConnector): readonly Reference[] {
  switch (connector.kind) {
    case "postgres":
      return [
        {
          field: "url",
          text: connector.url,
          isValid: (value) => hasProtocol(value, ["postgres:", "postgresql:"]),
          expects: "an address that begins with postgres://",
        },
      ];
    case "redis":
      return [
        {
          field: "url",
          text: connector.url,
          isValid: (value) => hasProtocol(value, ["redis:", "rediss:"]),
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
          isValid: (value) => hasProtocol(value, connector.allowPrivate ? ["https:", "http:"] : ["https:"]),
          expects: "an address that begins with https:// (http:// only with allowPrivate)",
        },
        {
          field: "secret",
          text: connector.secret,
          isValid: isWebhookSecret,
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
