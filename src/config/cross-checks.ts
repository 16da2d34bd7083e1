import type { IdentityContent } from "./schemas/identity.ts";
import { environmentName } from "./schemas/env-reference.ts";
import type { ConfigFile } from "./config-schema.ts";
import { connectorProblems } from "./resolve-connectors.ts";
import type { PlacedProblem } from "../core/values/refusals.ts";
import { webhookProblems } from "./resolve-webhooks.ts";

/** Finds problems across fields: repeated names, unknown people, and secrets that are not set. */
export function crossProblems(
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>,
  inUse: ReadonlySet<string>,
): PlacedProblem[] {
  return [
    ...identityProblems(file.identities),
    ...nameProblems(file),
    ...hookProblems(file, environment),
    ...connectorProblems(file.connectors, environment, inUse),
  ];
}

function identityProblems(identities: readonly IdentityContent[]): PlacedProblem[] {
  const ids = new Set<string>(identities.map(({ id }) => id));
  const unknownManagers = identities.flatMap(({ managerId }, index) =>
    managerId === undefined || ids.has(managerId)
      ? []
      : [
          {
            path: ["identities", String(index), "managerId"],
            message: `no identity here has the id ${managerId}`,
          },
        ],
  );
  const repeated = (field: readonly string[], keyOf: (identity: IdentityContent) => string | undefined) =>
    repetitions(identities.map(keyOf)).map(({ index, first }) => ({
      path: ["identities", String(index), ...field],
      message: `already belongs to ${identities[first]?.name ?? "another identity"} (identities.${first})`,
    }));
  return [
    ...unknownManagers,
    ...repeated(["id"], ({ id }) => id),
    ...repeated(["email"], ({ email }) => email),
    ...repeated(
      ["links", "slack"],
      ({ links }) => links.slack && `${links.slack.teamId} ${links.slack.userId}`,
    ),
    ...repeated(
      ["links", "teams"],
      ({ links }) => links.teams && `${links.teams.tenantId} ${links.teams.aadObjectId}`,
    ),
  ];
}

function nameProblems(file: ConfigFile): PlacedProblem[] {
  const inDefault = file.policies.some((policy) => policy.name === file.default?.name)
    ? [{ path: ["default", "name"], message: "is already the name of a policy" }]
    : [];
  return [
    ...repeatedNames(
      "policies",
      file.policies.map((policy) => policy.name),
    ),
    ...repeatedNames(
      "risk",
      file.risk.map((rule) => rule.name),
    ),
    ...repeatedNames(
      "webhooks",
      file.webhooks.map((webhook) => webhook.name),
    ),
    ...repeatedNames(
      "catalog",
      file.catalog.map((entry) => entry.name),
    ),
    ...repeatedNames(
      "connectors",
      file.connectors.map((connector) => connector.name),
    ),
    ...inDefault,
  ];
}

function repeatedNames(section: string, names: readonly string[]): PlacedProblem[] {
  return repetitions(names).map(({ index, first }) => ({
    path: [section, String(index), "name"],
    message: `is already the name of ${section}.${first}`,
  }));
}

/** Finds webhooks whose secrets are not set or are invalid. */
function hookProblems(
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>,
): readonly PlacedProblem[] {
  const references = file.webhooks.flatMap(({ url, secret }, index) => [
    { path: ["webhooks", String(index), "url"], text: url },
    { path: ["webhooks", String(index), "secret"], text: secret },
  ]);
  const unset = references.flatMap(({ path, text }) => {
    const variable = environmentName(text);
    const isSet = variable === undefined || (environment[variable] ?? "") !== "";
    return isSet ? [] : [{ path, message: `the environment variable ${variable} is not set` }];
  });
  return [...unset, ...webhookProblems(file.webhooks, environment)];
}

/** Every repeated key, with the index of its first occurrence. */
function repetitions(
  keys: readonly (string | undefined)[],
): { readonly index: number; readonly first: number }[] {
  const firsts = new Map<string, number>();
  const found: { readonly index: number; readonly first: number }[] = [];
  for (const [index, key] of keys.entries()) {
    if (key === undefined) continue;
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, index);
    else found.push({ index, first });
  }
  return found;
}
