import type { Connector } from "../ports/connector.ts";
import { moveHeld, whyUnproven } from "./connector-addresses.ts";
import type { ConnectorTrouble, ConnectorTroubles } from "../ports/connector-registry.ts";
import { systemActor } from "../../core/access/access-case.ts";
import { refuse, type Refusal } from "../../core/values/refusals.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import type { ConnectorInUse, TargetReads } from "../ports/target-reads.ts";
import { unavailableConnector } from "./unavailable-connector.ts";

/** The connectors of the configuration, and what is needed to put them in force. */
export interface DesiredConnectors {
  readonly connectors: ReadonlyMap<string, Connector>;
  /** By name: what is missing in the environment. */
  readonly unusable: ReadonlyMap<string, string>;
  /** A connector for this former place: the one in force, or a new one. */
  readonly formerAt: (name: string, place: string) => Promise<Connector | undefined>;
}

export interface ReconciledConnectors {
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly troubles: ConnectorTroubles;
  /** Call these once the connectors are in force. */
  readonly moves: readonly (() => Promise<void>)[];
}

interface ReconciledConnector {
  readonly connector: Connector;
  readonly trouble?: ConnectorTrouble;
  readonly move?: () => Promise<void>;
}

/**
 * The connectors that can be put in force. A connector without its secret is unavailable and keeps its scopes. One
 * whose address has changed while it holds objects stays at the former address until the new one is proven to be the
 * same.
 */
export async function reconcileConnectors(
  context: ServiceContext,
  wanted: DesiredConnectors,
): Promise<ReconciledConnectors> {
  const inUse = await context.store.connectorsInUse();
  const settled = await Promise.all(
    [...wanted.connectors.values()].map((connector) => settle(context, wanted, connector, inUse)),
  );
  return {
    connectors: new Map(settled.map(({ connector }) => [connector.name, connector])),
    troubles: new Map(
      settled.flatMap(({ connector, trouble }) => (trouble === undefined ? [] : [[connector.name, trouble]])),
    ),
    moves: settled.flatMap(({ move }) => move ?? []),
  };
}

async function settle(
  context: ServiceContext,
  { unusable, formerAt }: DesiredConnectors,
  connector: Connector,
  inUse: readonly ConnectorInUse[],
): Promise<ReconciledConnector> {
  const { name, place } = connector;
  const lack = unusable.get(name);
  if (lack !== undefined)
    return { connector: unavailableConnector(connector, lack), trouble: { problem: lack } };
  const from = inUse.find(
    (one) => one.connector === name && one.place !== null && one.place !== place,
  )?.place;
  if (from === undefined || from === null || place === undefined) return { connector };
  const former = await formerAt(name, from);
  const why = await whyUnproven(context, connector, former);
  if (why === undefined) {
    const change = { from, to: place, proof: "same_target", by: systemActor } as const;
    return { connector, move: () => moveHeld(context, name, change) };
  }
  const problem = `its address changed to ${place}, and it is not proven that this is the same target: ${why}. ${from} stays in use`;
  const trouble = { problem, proposed: connector };
  const inForce = former ?? unavailableConnector(connector, `nobody can reach ${from}`);
  return { connector: inForce, trouble };
}

/**
 * Why a connector must not be removed by a reload: it holds objects of ours and can still take them back. At a start it
 * is gone already, and its take-backs become overdue.
 */
export async function whyNotLeave(
  store: Pick<TargetReads, "connectorsInUse">,
  before: ReadonlyMap<string, Connector>,
  next: ReadonlyMap<string, Connector>,
): Promise<Refusal | undefined> {
  const complaints = (await store.connectorsInUse()).flatMap(({ connector, targets }) =>
    before.has(connector) && !next.has(connector)
      ? [
          `the connector ${connector} still holds ${objectsText(targets)}, so it cannot be removed from the configuration`,
        ]
      : [],
  );
  if (complaints.length === 0) return undefined;
  return refuse(
    "invalid_body",
    `${complaints.join("; ")}. End that access first (jit revoke-all) and wait until it is gone, or give up what is lost (jit connectors abandon).`,
  );
}

function objectsText(count: number): string {
  return `${count} ${count === 1 ? "object" : "objects"} of active or unfinished access`;
}

/** The problem of every connector that has one: it is in trouble, or it holds objects and is not configured. */
export function connectorProblems(
  inUse: readonly ConnectorInUse[],
  connectors: ReadonlyMap<string, Connector>,
  troubles: ConnectorTroubles,
): ReadonlyMap<string, string> {
  const problems = new Map([...troubles].map(([name, { problem }]) => [name, problem]));
  for (const { connector, targets } of inUse) {
    if (connectors.has(connector)) continue;
    problems.set(connector, `it is not configured, and still holds ${objectsText(targets)}`);
  }
  return problems;
}
