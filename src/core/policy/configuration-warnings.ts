import { conditionsIn } from "./condition-tree.ts";
import { knownNames, lookOf, type ServedAccess } from "./known-names.ts";
import { nameWarnings } from "./name-warnings.ts";
import type { Identity } from "../values/identity.ts";
import { policyWarnings, type WrittenRules } from "./policy-warnings.ts";
import type { PlacedProblem } from "../values/refusals.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

type Person = Pick<Identity, "id" | "email" | "groups">;

/** A configuration in the order of the file. */
export interface WrittenConfiguration extends WrittenRules {
  readonly identities: readonly Person[];
  readonly connectors: readonly ServedAccess[];
}

/** People and groups that exist outside the file. */
export interface Environs {
  readonly people: readonly Person[];
  /** Groups of people who are not listed in `people`. */
  readonly groups: readonly string[];
}

export const noEnvirons: Environs = { people: [], groups: [] };

/**
 * Warns about valid configuration that is probably a mistake: unknown names, conditions that can never hold, and
 * names that look alike. Reports only what is certain, and never as an error, because people and access may be added
 * later.
 */
export function configurationWarnings(
  configuration: WrittenConfiguration,
  beside: Environs = noEnvirons,
): readonly PlacedProblem[] {
  const { identities, rules, connectors } = configuration;
  const known = knownNames([...identities, ...beside.people], beside.groups, rules, connectors);
  return [
    ...nameWarnings(conditionsIn(configuration), known),
    ...policyWarnings(configuration),
    ...groupVariants(identities, beside.groups),
    ...hiddenLetters(identities),
    ...unservedEntries(configuration),
  ];
}

/** Different groups whose names look the same; each is reported once, where it is first listed. */
function groupVariants(identities: readonly Person[], others: readonly string[]): readonly PlacedProblem[] {
  const firstByLook = new Map(others.map((group) => [lookOf(group), group]));
  const reported = new Set<string>();
  return groupPlaces(identities).flatMap(({ group, path }) => {
    const look = lookOf(group);
    const other = firstByLook.get(look);
    if (other === undefined) firstByLook.set(look, group);
    if (other === undefined || other === group || reported.has(group)) return [];
    reported.add(group);
    return [{ path, message: `"${group}" is another group than "${other}": names are compared exactly` }];
  });
}

function hiddenLetters(identities: readonly Person[]): readonly PlacedProblem[] {
  const reported = new Set<string>();
  return groupPlaces(identities).flatMap(({ group, path }) => {
    const hidden = /\p{Cf}/u.exec(group)?.[0];
    if (hidden === undefined || reported.has(group)) return [];
    reported.add(group);
    const number = (hidden.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return [{ path, message: `holds a character that cannot be seen, U+${number}` }];
  });
}

function groupPlaces(identities: readonly Person[]) {
  return identities.flatMap(({ groups }, person) =>
    groups.map((group, place) => ({
      group,
      path: ["identities", String(person), "groups", String(place)],
    })),
  );
}

/** Catalog entries whose requests are refused, because the resource's connector lacks the action. */
function unservedEntries({ rules, connectors }: WrittenConfiguration): readonly PlacedProblem[] {
  return rules.catalog.flatMap(({ scopes }, entry) =>
    scopes.flatMap((scope, place) => {
      const serving = connectors.filter((connector) => connector.resources.includes(resourceOf(scope)));
      const actions = new Set(serving.flatMap((connector) => Object.keys(connector.actions)));
      if (serving.length === 0 || actions.has(actionOf(scope))) return [];
      const message = `cannot be asked for: ${resourceOf(scope)} has the actions ${[...actions].join(", ")}`;
      return [{ path: ["catalog", String(entry), "scopes", String(place)], message }];
    }),
  );
}
