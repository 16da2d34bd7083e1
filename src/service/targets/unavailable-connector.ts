import { ConnectorFault, type Connector } from "../ports/connector.ts";

/**
 * A connector that knows its scopes but reaches no target. Its scopes are refused instead of being granted by the token
 * alone. Take-backs are retried, and become overdue.
 */
export function unavailableConnector(connector: Connector, why: string): Connector {
  const { name, kind, needsSshPublicKey } = connector;
  const fail = (retryable: boolean) => async (): Promise<never> => {
    throw new ConnectorFault("unreachable", `${name} is not available: ${why}.`, {
      retryable,
      isTargetDown: retryable,
      reason: `it is not available: ${why}`,
    });
  };
  return {
    name,
    kind,
    ...(needsSshPublicKey !== undefined && { needsSshPublicKey }),
    serves: (scopes) => connector.serves(scopes),
    actionsOn: (resource) => connector.actionsOn(resource),
    objectOf: (grantId) => connector.objectOf(grantId),
    // A claim fails immediately, so that its requester does not wait for an operator.
    provision: fail(false),
    issue: fail(false),
    takeBack: fail(true),
    listManaged: fail(true),
    check: async () => [
      {
        what: `It is not available: ${why}`,
        result: "problem",
        fix: "Fix the configuration and restart, or abandon what it holds.",
      },
    ],
    close: () => connector.close(),
  };
}
