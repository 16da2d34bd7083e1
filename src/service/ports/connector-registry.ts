import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { secondMs } from "../../core/values/time.ts";
import type { Connector, Connectors } from "./connector.ts";
import { createKeyedMutex, type KeyedMutex } from "../async/keyed-mutex.ts";

/** A target that does not let go holds up neither a reload nor a stop for longer than this. */
const closeMs = 2 * secondMs;

/** Why a connector is not what the configuration says. */
export interface ConnectorTrouble {
  readonly problem: string;
  /** As configured, at an address that is not known to lead to the same target. In force is the one of before. */
  readonly proposed?: Connector;
}

/** The troubles of this moment, by the names of the connectors. */
export type ConnectorTroubles = ReadonlyMap<string, ConnectorTrouble>;

/** The connectors in force, changeable as a whole. */
export interface ConnectorSet {
  readonly current: Connectors;
  readonly troubles: () => ConnectorTroubles;
  /** What connectors do to one object comes one after the other, also across a reload. */
  readonly mutex: KeyedMutex;
  /**
   * Puts others in force and then loads the configuration they belong to: in this order nothing new is ordered at one
   * that leaves while it is asked whether it may. When the load is refused or fails, everything is as before. Those that
   * are no longer used are closed; a connector that is in both stays open.
   */
  replace<T>(
    next: ReadonlyMap<string, Connector>,
    load: () => Promise<T | Refusal>,
    troubles?: ConnectorTroubles,
  ): Promise<T | Refusal>;
  /** Puts what is proposed in force. Nothing, where it is proposed no more. */
  accept(name: string, proposed: Connector): Promise<void>;
  /** Closes all, at the end. */
  close(): Promise<void>;
}

/** What is said and done about connectors that are not what the configuration says. */
export type ConnectorAddresses = Pick<ConnectorSet, "troubles" | "accept">;

interface InForce {
  readonly connectors: ReadonlyMap<string, Connector>;
  readonly troubles: ConnectorTroubles;
}

const nothing: InForce = { connectors: new Map(), troubles: new Map() };

export function createConnectorSet(): ConnectorSet {
  let inForce = nothing;
  return {
    current: () => inForce.connectors,
    troubles: () => inForce.troubles,
    mutex: createKeyedMutex(),
    async replace(connectors, load, troubles = new Map()) {
      const before = inForce;
      const next = { connectors, troubles };
      inForce = next;
      let isLoaded = false;
      try {
        const loaded = await load();
        isLoaded = !isRefusal(loaded);
        return loaded;
      } finally {
        if (!isLoaded) inForce = before;
        await closeAll(isLoaded ? before : next, inForce);
      }
    },
    async accept(name, proposed) {
      if (inForce.troubles.get(name)?.proposed !== proposed) return;
      const before = inForce;
      const connectors = new Map(before.connectors).set(name, proposed);
      const troubles = new Map(before.troubles);
      troubles.delete(name);
      inForce = { connectors, troubles };
      await closeAll(before, inForce);
    },
    close: async () => closeAll(inForce, nothing),
  };
}

function allOf({ connectors, troubles }: InForce): readonly Connector[] {
  return [...connectors.values(), ...[...troubles.values()].flatMap(({ proposed }) => proposed ?? [])];
}

async function closeAll(left: InForce, kept: InForce): Promise<void> {
  const inUse = new Set(allOf(kept));
  const closing = allOf(left).filter((connector) => !inUse.has(connector));
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, closeMs);
  await Promise.race([Promise.allSettled(closing.map((connector) => connector.close())), promise]);
  clearTimeout(timer);
}
