import type { ConnectorSettings } from "../core/connector-settings.ts";
import { environmentName } from "../schemas/from-environment.ts";
import type { WrittenConnector } from "../schemas/connector.ts";
import type { PlacedProblem } from "../core/refusals.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The connectors with their secrets; call only when {@link connectorProblems} has found nothing. */
export function connectorSettings(
  written: readonly WrittenConnector[],
  environment: Environment,
): readonly ConnectorSettings[] {
  const resolved = (text: string): string => {
    const variable = environmentName(text);
    return variable === undefined ? text : (environment[variable] ?? "");
  };
  return written.map((connector): ConnectorSettings => {
    switch (connector.kind) {
      case "postgres":
      case "redis":
        return { ...connector, url: resolved(connector.url) };
      case "ssh":
        return connector;
      case "webhook":
        return { ...connector, url: resolved(connector.url), secret: resolved(connector.secret) };
    }
  });
}

/** What no connector can know by itself: who else serves its resources, and whether its secrets make sense. */
export function connectorProblems(
  written: readonly WrittenConnector[],
  environment: Environment,
): readonly PlacedProblem[] {
  return [...claimProblems(written), ...listFileProblems(written), ...secretProblems(written, environment)];
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
  written: readonly WrittenConnector[],
  environment: Environment,
): readonly PlacedProblem[] {
  return written.flatMap((connector, index) =>
    referencesOf(connector).flatMap(({ field, text, isGood, expects }) => {
      const variable = environmentName(text);
      const path = ["connectors", String(index), field];
      if (variable === undefined) return isGood(text) ? [] : [{ path, message: `must be ${expects}` }];
      const value = environment[variable] ?? "";
      if (value === "") return [{ path, message: `the environment variable ${variable} is not set` }];
      return isGood(value)
        ? []
        : [{ path, message: `the environment variable ${variable} must hold ${expects}` }];
    }),
  );
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
