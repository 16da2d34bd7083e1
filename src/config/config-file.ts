import type { ConnectorSettings } from "../core/values/connector-settings.ts";
import type { PolicyId } from "../core/values/ids.ts";
import { holdsToken, maskTokens, tokensIn } from "../core/values/mask-tokens.ts";
import { emptyRules, type Rules } from "../core/policy/policy.ts";
import { finish, type Work } from "../core/values/sliced-work.ts";
import type { Webhook } from "../core/audit/webhook-subscription.ts";
import { placedProblems } from "./schemas/field-problems.ts";
import type { IdentityContent } from "./schemas/identity.ts";
import type { PolicyContent } from "./schemas/policy.ts";
import { configSchema, type ConfigFile } from "./config-schema.ts";
import { connectorSettings, unusableConnectors } from "./resolve-connectors.ts";
import { crossProblems } from "./cross-checks.ts";
import type { PlacedProblem } from "../core/values/refusals.ts";
import { defaultPolicyId, policyIdOf } from "./policy-id.ts";
import { webhooksOf } from "./resolve-webhooks.ts";
import { readYaml, sliceCost } from "./yaml-file.ts";

/** What the operator's file says, made trustworthy. */
export interface Configuration {
  readonly identities: readonly (IdentityContent & { readonly managedBy: "file" })[];
  /** Their versions are the store's to count. */
  readonly policies: readonly (PolicyContent & { readonly id: PolicyId; readonly managedBy: "file" })[];
  /** The default policy carries version 1 until the store knows better. */
  readonly rules: Rules;
  /** With their secrets: kept in memory alone. */
  readonly webhooks: readonly Webhook[];
  /** With their secrets. */
  readonly connectors: readonly ConnectorSettings[];
  /** By the name of the connector, what is wrong with a variable of the environment. Only of connectors that hold objects. */
  readonly unusableConnectors: ReadonlyMap<string, string>;
}

/** One complaint about the file. */
export interface ConfigProblem {
  readonly file: string;
  /** From 1, like `column`. */
  readonly line: number;
  readonly column: number;
  /** Dotted, as in `policies.0.conditions.1.value`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ConfigProblems {
  readonly problems: readonly ConfigProblem[];
  /** Texts of the file that hold tokens, to be ended. */
  readonly leaked?: readonly string[];
}

export interface ConfigRead {
  readonly ok: Configuration;
  /** Complaints about fields of the file, with their places and in the file's order. */
  readonly placed: (complaints: readonly PlacedProblem[]) => readonly ConfigProblem[];
}

/**
 * Reads the configuration file (contract §5): YAML 1.2 checked strictly, all complaints at once and in the file's
 * order. Never throws, whatever the text. `environment` has the values of `env:NAME`; no complaint repeats one.
 */
export function readConfigFile(
  text: string,
  fileName: string,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigRead | ConfigProblems {
  return finish(readConfigInSlices(text, fileName, environment));
}

/**
 * As {@link readConfigFile}, with pauses between its slices: a file of thousands of people takes a while. A variable that
 * a connector of `held` lacks is no problem of the file.
 */
export function* readConfigInSlices(
  text: string,
  fileName: string,
  environment: Readonly<Record<string, string | undefined>>,
  held: ReadonlySet<string> = new Set(),
): Work<ConfigRead | ConfigProblems> {
  const yaml = yield* readYaml(text);
  if ("problems" in yaml) {
    const problems = yaml.problems.map((problem) => ({ file: fileName, path: "", ...problem }));
    return { problems, leaked: linesWithTokens(text).map(({ content }) => content) };
  }
  const { value, positionOf } = yaml.ok;
  const placed = (complaints: readonly PlacedProblem[]): readonly ConfigProblem[] =>
    complaints
      .map(({ path, message }) => ({ file: fileName, ...positionOf(path), path: path.join("."), message }))
      .toSorted((one, other) => one.line - other.line || one.column - other.column);
  const leaked = tokensIn(value);
  if (leaked.length > 0) {
    const complaints = leaked.map(({ path }) => ({ path, message: "holds a token: leave it out" }));
    return { problems: placed(complaints), leaked: leaked.map(({ text: holding }) => holding) };
  }
  yield sliceCost;
  // Comments are no values, and are read by as many people.
  const commented = linesWithTokens(text);
  if (commented.length > 0) {
    const message = "holds a token: leave it out";
    const problems = commented.map(({ line }) => ({ file: fileName, line, column: 1, path: "", message }));
    return { problems, leaked: commented.map(({ content }) => content) };
  }
  yield sliceCost;
  const parsed = configSchema.safeParse(value);
  yield sliceCost;
  const found = parsed.success
    ? crossProblems(parsed.data, environment, held)
    : placedProblems(parsed.error, value);
  if (parsed.success && found.length === 0) {
    return { ok: configurationOf(parsed.data, environment), placed };
  }
  return { problems: placed(found) };
}

/** `line` counts from 1. */
function linesWithTokens(text: string): readonly { readonly line: number; readonly content: string }[] {
  return text
    .split("\n")
    .flatMap((content, index) => (holdsToken(content) ? [{ line: index + 1, content }] : []));
}

/** `jit.yaml:12:5 policies.0.name: is missing`, for the log. */
export function formatConfigProblem({ file, line, column, path, message }: ConfigProblem): string {
  return maskTokens(`${file}:${line}:${column} ${path === "" ? "" : `${path}: `}${message}`).text;
}

function configurationOf(
  file: ConfigFile,
  environment: Readonly<Record<string, string | undefined>>,
): Configuration {
  const managedBy = "file";
  return {
    identities: file.identities.map((identity) => ({ ...identity, managedBy })),
    policies: file.policies.map((policy) => ({ ...policy, id: policyIdOf(policy.name), managedBy })),
    rules: {
      ...(file.default !== undefined && {
        defaultPolicy: { ...file.default, id: defaultPolicyId, version: 1, managedBy },
      }),
      risk: file.risk,
      catalog: file.catalog,
      limits: file.limits,
      breakGlass: file.breakGlass ?? emptyRules.breakGlass,
      chatRoles: file.roles,
      trustSlackUserGroups: file.slack.trustUserGroups,
    },
    webhooks: webhooksOf(file.webhooks, environment),
    connectors: connectorSettings(file.connectors, environment),
    unusableConnectors: unusableConnectors(file.connectors, environment),
  };
}
