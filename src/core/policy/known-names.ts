import type { ConnectorSettings } from "../values/connector-settings.ts";
import type { Identity } from "../values/identity.ts";
import type { Rules } from "./policy.ts";
import { actionOf, resourceOf } from "../values/scopes.ts";

/** Names that rules may be compared with. Another name is allowed, but probably a mistake. */
export interface KnownNames {
  /** Of everybody who is listed. */
  readonly groups: ReadonlySet<string>;
  /** Ids, and addresses in lower case. */
  readonly identities: ReadonlySet<string>;
  /** Of the catalog and of the connectors. Access without either may have any. */
  readonly actions: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
}

/** What access is given where. */
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
    groups: new Set([...people.flatMap((one) => one.groups), ...moreGroups]),
    identities: new Set(
      people.flatMap(({ id, email }) => (email === undefined ? [id] : [id, email.toLowerCase()])),
    ),
    actions: new Set([...scopes.map(actionOf), ...served.flatMap((one) => Object.keys(one.actions))]),
    resources: new Set([...scopes.map(resourceOf), ...served.flatMap((one) => one.resources)]),
  };
}

/**
 * A name as a hasty reader sees it: two that are equal so are mistaken for each other. Case, composed letters, width,
 * invisible characters and the length of spaces make no difference.
 */
export function lookOf(name: string): string {
  return name
    .normalize("NFKC")
    .replaceAll(/[\p{Cf}]/gu, "")
    .replaceAll(/\s+/gu, " ")
    .trim()
    .toLowerCase();
}

/** Known names by how they look, for finding the one that was meant. */
export type NamesByLook = ReadonlyMap<string, string>;

export function namesByLook(names: Iterable<string>): NamesByLook {
  return new Map([...names].map((name) => [lookOf(name), name]));
}

/** A hint at a known name that looks the same and is another; empty when there is none. */
export function variantHint(name: string, known: NamesByLook): string {
  const other = known.get(lookOf(name));
  return other === undefined || other === name ? "" : `; "${other}" is known, and names are compared exactly`;
}
