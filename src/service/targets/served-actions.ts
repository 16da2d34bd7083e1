import type { AccessRequest } from "../../core/access/access-request.ts";
import type { Scope } from "../../core/values/ids.ts";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import { actionOf, resourceOf } from "../../core/values/scopes.ts";
import type { Connectors } from "../ports/connector.ts";

/** Those of the scopes that a connector serves. Access to them is provided at a target, never by the token alone. */
export function servedAmong(connectors: Connectors, scopes: readonly Scope[]): readonly Scope[] {
  const all = [...connectors().values()];
  return scopes.filter((scope) => all.some((connector) => connector.serves([scope]) !== undefined));
}

/**
 * Refuses scopes whose resource is served without this action: a token alone would look like access that does not
 * exist. Undefined when there are none.
 */
export function refuseUnservedActions(connectors: Connectors, scopes: readonly Scope[]): Refusal | undefined {
  const missing = missingActions(connectors, scopes);
  if (missing.length === 0) return undefined;
  const detail = missing.map(({ scope, message }) => `${resourceOf(scope)} ${message}.`).join(" ");
  return refuse("invalid_scope", `${detail} Ask for an action that exists.`, {
    errors: missing.map(({ index, message }) => ({ path: `scopes.${index}`, message })),
  });
}

/**
 * Why a request can no longer be provided as it was approved: an action or a connector was removed from the
 * configuration. Undefined when it can.
 */
export function whyNotServed(
  connectors: Connectors,
  { scopes, servedScopes = [] }: Pick<AccessRequest, "scopes" | "servedScopes">,
): string | undefined {
  const missing = missingActions(connectors, scopes);
  if (missing.length > 0) {
    return missing.map(({ scope, message }) => `${resourceOf(scope)} ${message}`).join("; ");
  }
  const served = new Set(servedAmong(connectors, scopes));
  const lost = servedScopes.filter((scope) => !served.has(scope));
  return lost.length === 0 ? undefined : `no connector serves ${lost.join(", ")} any more`;
}

/** A reload has changed the connectors during a claim. */
export function configurationChanged(): Refusal {
  return refuse("not_claimable", "The configuration has changed at this moment; claim it again.");
}

interface MissingAction {
  readonly scope: Scope;
  readonly index: number;
  readonly message: string;
}

function missingActions(connectors: Connectors, scopes: readonly Scope[]): readonly MissingAction[] {
  const served = new Set(servedAmong(connectors, scopes));
  return scopes.flatMap((scope, index) => {
    const actions = served.has(scope) ? [] : actionsOn(connectors, resourceOf(scope));
    if (actions.length === 0) return [];
    const list = actions.join(", ");
    const are = actions.length === 1 ? "the only one is" : "there are";
    return [{ scope, index, message: `has no action ${actionOf(scope)}; ${are} ${list}` }];
  });
}

function actionsOn(connectors: Connectors, resource: string): readonly string[] {
  const all = [...connectors().values()].flatMap((connector) => connector.actionsOn(resource));
  return [...new Set(all)].toSorted();
}
