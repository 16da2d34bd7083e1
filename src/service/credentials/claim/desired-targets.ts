import type { GrantId, Scope } from "../../../core/values/ids.ts";
import type { DesiredTarget } from "../../../core/access/target.ts";
import type { Connectors } from "../../ports/connector.ts";

/** What the connectors in force serve of these scopes, with the names that their objects would have. */
export function desiredTargets(
  connectors: Connectors,
  scopes: readonly Scope[],
  grantId: GrantId,
): readonly DesiredTarget[] {
  return [...connectors().values()].flatMap((connector) => {
    const served = connector.serves(scopes);
    if (served === undefined) return [];
    const { name, place } = connector;
    return [
      {
        connector: name,
        object: connector.objectOf(grantId),
        ...(place !== undefined && { place }),
        scopes: served.scopes,
        rights: served.rights,
      },
    ];
  });
}
