import type { ConnectorSettings } from "../values/connector-settings.ts";
import type { Identity } from "../values/identity.ts";
import type { Rules } from "./policy.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

/** Names that exist. A rule may use another name, but that is probably a mistake. */
export interface KnownNames {
  /** Groups of all listed people. */
  readonly groups: ReadonlySet<string>;
  /** Ids, and addresses in lower case. */
  readonly identities: ReadonlySet<string>;
  /** From the catalog and the connectors. Scopes outside both may use any action. */
  readonly actions: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
}

/** The resources and actions of one connector. */
export type ServedAccess = Pick<ConnectorSettings, "resources"> & {
  readonly actions: Readonly<Record<string, unknown>>;
};

export function knownNames(
  people: readonly Pick<Identity, "id" | "email" | "groups">[],
  moreGroups: readonly string[],
  { catalog }: Pick<Rules, "catalog">,
  served: readonly ServedAccess[],
): KnownNames {
  const scopes = catalog.flatMap((entry) => entry.scopes);
  return {
    groups: new Set([...people.flatMap(({ groups }) => groups), ...moreGroups]),
    identities: new Set(
      people.flatMap(({ id, email }) => (email === undefined ? [id] : [id, email.toLowerCase()])),
    ),
    actions: new Set([...scopes.map(actionOf), ...served.flatMap(({ actions }) => Object.keys(actions))]),
    resources: new Set([...scopes.map(resourceOf), ...served.flatMap(({ resources }) => resources)]),
  };
}

/**
 * Normalises a name to how it looks: names with equal results are easily confused. Ignores case, composed letters,
 * width, invisible characters and the length of spaces.
 */
export function lookOf(name: string): string {
  return name
    .normalize("NFKC")
    .replaceAll(/[\p{Cf}]/gu, "")
    .replaceAll(/\s+/gu, " ")
    .trim()
    .toLowerCase();
}

/** Known names by their look, to find the one that was meant. */
export type NamesByLook = ReadonlyMap<string, string>;

export function namesByLook(names: Iterable<string>): NamesByLook {
  return new Map([...names].map((name) => [lookOf(name), name]));
}

/** A hint at another known name that looks the same; empty when there is none. */
export function variantHint(name: string, known: NamesByLook): string {
  const other = known.get(lookOf(name));
  return other === undefined || other === name ? "" : `; "${other}" is known, and names are compared exactly`;
}
