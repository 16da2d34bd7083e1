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

/** The content of the operator's file, validated. */
export interface Configuration {
  readonly identities: readonly (IdentityContent & { readonly managedBy: "file" })[];
  /** Without versions, because the store counts them. */
  readonly policies: readonly (PolicyContent & { readonly id: PolicyId; readonly managedBy: "file" })[];
  /** The default policy carries version 1 until the store knows better. */
  readonly rules: Rules;
  /** With their secrets, which are kept in memory only. */
  readonly webhooks: readonly Webhook[];
  /** With their secrets. */
  readonly connectors: readonly ConnectorSettings[];
  /** For connectors in use: the problem with their environment variable, by connector name. */
  readonly unusableConnectors: ReadonlyMap<string, string>;
}

/** One problem in the file. */
export interface ConfigProblem {
  readonly file: string;
  /** Counted from 1, like `column`. */
  readonly line: number;
  readonly column: number;
  /** Dotted, as in `policies.0.conditions.1.value`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
}

export interface ConfigProblems {
  readonly problems: readonly ConfigProblem[];
  /** Texts of the file that hold tokens. The caller revokes them. */
  readonly leaked?: readonly string[];
}

export interface ConfigRead {
  readonly ok: Configuration;
  /** Adds line and column to problems of fields, and sorts them in the order of the file. */
  readonly locate: (problems: readonly PlacedProblem[]) => readonly ConfigProblem[];
}

/**
 * Reads the configuration file: strict YAML 1.2, with all problems at once and in the order of the file. It never throws.
 * `environment` has the values of `env:NAME`, and no problem repeats one. See docs/configuration.md#the-configuration-file.
 */
export function readConfigFile(
  text: string,
  fileName: string,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigRead | ConfigProblems {
  return finish(readConfigInSlices(text, fileName, environment));
}

/**
 * Like {@link readConfigFile}, in slices, because a file with thousands of people takes a while. A missing variable of a
 * connector in `inUse` is no problem of the file.
 */
export function* readConfigInSlices(
  text: string,
  fileName: string,
  environment: Readonly<Record<string, string | undefined>>,
  inUse: ReadonlySet<string> = new Set(),
): Work<ConfigRead | ConfigProblems> {
  const yaml = yield* readYaml(text);
  if ("problems" in yaml) {
    const problems = yaml.problems.map((problem) => ({ file: fileName, path: "", ...problem }));
    return { problems, leaked: linesWithTokens(text).map(({ content }) => content) };
  }
  const { value, positionOf } = yaml.ok;
  const locate = (problems: readonly PlacedProblem[]): readonly ConfigProblem[] =>
    problems
      .map(({ path, message }) => ({ file: fileName, ...positionOf(path), path: path.join("."), message }))
      .toSorted((a, b) => a.line - b.line || a.column - b.column);
  const leaked = tokensIn(value);
  if (leaked.length > 0) {
    const problems = leaked.map(({ path }) => ({ path, message: "holds a token: leave it out" }));
    return { problems: locate(problems), leaked: leaked.map(({ text: leakedText }) => leakedText) };
  }
  yield sliceCost;
  // Comments are not part of the values, but people read them too.
  const linesWithToken = linesWithTokens(text);
  if (linesWithToken.length > 0) {
    const message = "holds a token: leave it out";
    const problems = linesWithToken.map(({ line }) => ({
      file: fileName,
      line,
      column: 1,
      path: "",
      message,
    }));
    return { problems, leaked: linesWithToken.map(({ content }) => content) };
  }
  yield sliceCost;
  const parsed = configSchema.safeParse(value);
  yield sliceCost;
  const found = parsed.success
    ? crossProblems(parsed.data, environment, inUse)
    : placedProblems(parsed.error, value);
  if (parsed.success && found.length === 0) {
    return { ok: configurationOf(parsed.data, environment), locate };
  }
  return { problems: locate(found) };
}

/** The lines that hold a token, counted from 1. */
function linesWithTokens(text: string): readonly { readonly line: number; readonly content: string }[] {
  return text
    .split("\n")
    .flatMap((content, index) => (holdsToken(content) ? [{ line: index + 1, content }] : []));
}

/** Formats a problem for the log: `jit.yaml:12:5 policies.0.name: is missing`. */
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
