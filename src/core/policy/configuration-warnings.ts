import { conditionsIn } from "./condition-tree.ts";
import { knownNames, lookOf, type ServedAccess } from "./known-names.ts";
import { nameWarnings } from "./name-warnings.ts";
import type { Identity } from "../values/identity.ts";
import { policyWarnings, type WrittenRules } from "./policy-warnings.ts";
import type { PlacedProblem } from "../values/refusals.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

type Person = Pick<Identity, "id" | "email" | "groups">;

/** A configuration as it was written, in the order of the file. */
export interface WrittenConfiguration extends WrittenRules {
  readonly identities: readonly Person[];
  readonly connectors: readonly ServedAccess[];
}

/** Who and what there is besides the file. */
export interface Surrounding {
  readonly people: readonly Person[];
  /** Of people who are not among `people`. */
  readonly groups: readonly string[];
}

export const nothingBeside: Surrounding = { people: [], groups: [] };

/**
 * What is valid but probably a mistake: conditions on names that are not there, what can never hold or happen, names that
 * look alike. Only what is certain; no error, for people and access may come at any time.
 */
export function configurationWarnings(
  content: WrittenConfiguration,
  beside: Surrounding = nothingBeside,
): readonly PlacedProblem[] {
  const { identities, rules, connectors } = content;
  const known = knownNames([...identities, ...beside.people], beside.groups, rules, connectors);
  return [
    ...nameWarnings(conditionsIn(content), known),
    ...policyWarnings(content),
    ...groupVariants(identities, beside.groups),
    ...hiddenLetters(identities),
    ...unservedEntries(content),
  ];
}

/** Groups whose names look the same and are different ones; said once for each, where it is first listed. */
function groupVariants(identities: readonly Person[], others: readonly string[]): readonly PlacedProblem[] {
  const first = new Map(others.map((group) => [lookOf(group), group]));
  const reported = new Set<string>();
  return groupPlaces(identities).flatMap(({ group, path }) => {
    const look = lookOf(group);
    const other = first.get(look);
    if (other === undefined) first.set(look, group);
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

/** Entries of the catalog that asking refuses, because the connector of their resource has no such action. */
function unservedEntries({ rules, connectors }: WrittenConfiguration): readonly PlacedProblem[] {
  return rules.catalog.flatMap(({ scopes }, entry) =>
    scopes.flatMap((scope, place) => {
      const serving = connectors.filter((one) => one.resources.includes(resourceOf(scope)));
      const actions = new Set(serving.flatMap((one) => Object.keys(one.actions)));
      if (serving.length === 0 || actions.has(actionOf(scope))) return [];
      const message = `cannot be asked for: ${resourceOf(scope)} has the actions ${[...actions].join(", ")}`;
      return [{ path: ["catalog", String(entry), "scopes", String(place)], message }];
    }),
  );
}
