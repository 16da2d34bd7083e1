import { conditionsIn, leavesIn } from "../../core/policy/condition-tree.ts";
import { configurationWarnings } from "../../core/policy/configuration-warnings.ts";
import { costlyPatterns, costlyPatternsOf } from "../../core/policy/costly-patterns.ts";
import type { ServedAccess } from "../../core/policy/known-names.ts";
import {
  unresolvedChannels,
  unresolvedSelectors,
  selectorsNamed,
} from "../../core/policy/unresolved-names.ts";
import { peopleNamed } from "../../core/policy/name-warnings.ts";
import type { Identity } from "../../core/values/identity.ts";
import { emptyRules, type Policy, type Rulebook, type Rules } from "../../core/policy/policy.ts";
import type { PlacedProblem } from "../../core/values/refusals.ts";
import type { FileContent } from "./configuration-content.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";

/** Probable mistakes in force: in the file, with their place, and in every policy created over the API. */
export async function fileWarnings(
  context: ServiceContext,
  content: FileContent,
): Promise<readonly PlacedProblem[]> {
  const { book } = await context.rulebook();
  const { identities, connectors = [] } = content;
  const ofApi = book.policies.filter((one) => one.managedBy === "api");
  const groups = await context.store.groupNames("api");
  const found = await warningsAbout(context, {
    identities,
    connectors,
    groups,
    policies: content.policies,
    rules: content.rules,
    otherPolicies: ofApi,
  });
  const elsewhere =
    ofApi.length === 0
      ? []
      : await warningsAbout(context, {
          identities: [],
          connectors,
          groups: [...new Set([...groups, ...identities.flatMap((one) => one.groups)])],
          policies: ofApi,
          rules: content.rules,
          otherPolicies: content.policies,
        });
  return [
    ...found,
    ...sharedName(book, content.rules),
    ...costlyInForce(content, book),
    ...elsewhere.flatMap(({ path: [section, index, ...rest], message }) => {
      const policy = section === "policies" ? ofApi[Number(index)] : undefined;
      return policy === undefined ? [] : [{ path: [], message: ofApiPolicy(policy, rest, message) }];
    }),
  ];
}

/** Probable mistakes in one valid policy, by the people and rules in force. Paths start at the policy. */
export async function policyWarnings(
  context: ServiceContext,
  policy: Policy,
): Promise<readonly PlacedProblem[]> {
  const { policies, rules } = (await context.rulebook()).book;
  const isDefault = rules.defaultPolicy?.id === policy.id;
  const own = isDefault ? [] : [policy];
  const asksGroups = conditionsIn({ policies: own, rules: emptyRules })
    .flatMap(leavesIn)
    .some(({ leaf }) => leaf.type === "GROUP");
  const { store } = context;
  const groups = asksGroups ? [...(await store.groupNames("file")), ...(await store.groupNames("api"))] : [];
  const found = await warningsAbout(context, {
    identities: [],
    connectors: [],
    groups,
    policies: own,
    rules: { ...rules, chatRoles: emptyRules.chatRoles, breakGlass: emptyRules.breakGlass },
    otherPolicies: policies.filter((one) => one.id !== policy.id),
  });
  const place = isDefault ? ["default"] : ["policies", "0"];
  return found
    .filter(({ path }) => place.every((part, index) => path[index] === part))
    .map(({ path, message }) => ({ path: path.slice(place.length), message }));
}

interface About {
  readonly identities: FileContent["identities"];
  readonly connectors: readonly ServedAccess[];
  /** Groups of people other than `identities`. */
  readonly groups: readonly string[];
  readonly policies: FileContent["policies"];
  readonly rules: Rules;
  readonly otherPolicies: FileContent["policies"];
}

async function warningsAbout(
  { store, surfaces }: ServiceContext,
  content: About,
): Promise<readonly PlacedProblem[]> {
  const { identities, groups } = content;
  const selectors = [...selectorsNamed(content), ...peopleNamed(conditionsIn(content))];
  const found = await store.people({ ids: [], selectors, links: [] });
  const people: readonly Identity[] = found.map(({ value }) => value);
  return [
    ...unresolvedSelectors(content, people, [...groups, ...identities.flatMap((one) => one.groups)]),
    ...unresolvedChannels(content, (channel) => surfaces.addressOfChannel(channel) !== undefined),
    ...configurationWarnings(content, { people, groups }),
  ];
}

function ofApiPolicy({ id }: Policy, path: readonly string[], message: string): string {
  const place = path.length === 0 ? "" : `, at ${path.join(".")}`;
  return `the policy ${id}, which was made over the API${place}: ${message}`;
}

/** A policy of the API with this name. */
export function namesake({ policies }: Rulebook, name: string | undefined): Policy | undefined {
  return policies.find((one) => one.managedBy === "api" && one.name === name);
}

function sharedName(book: Rulebook, { defaultPolicy }: Rules): readonly PlacedProblem[] {
  const other = namesake(book, defaultPolicy?.name);
  if (other === undefined) return [];
  const message = `is also the name of ${other.id}, which was made over the API: rename one of the two`;
  return [{ path: ["default", "name"], message }];
}

function costlyInForce({ policies, rules }: FileContent, book: Rulebook): readonly PlacedProblem[] {
  const ofApi = book.policies
    .filter(({ managedBy }) => managedBy === "api")
    .flatMap((policy) =>
      costlyPatterns(policy.conditions, ["conditions"]).map(({ kind, path, message }) => ({
        kind,
        path: [],
        message: ofApiPolicy(policy, path, message),
      })),
    );
  return [...costlyPatternsOf(policies, rules), ...ofApi].map(({ kind, path, message }) => ({
    path,
    message: kind === "list" ? message : `${message}; until then it is judged unknown`,
  }));
}
