import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { secondMs } from "../../core/values/time.ts";
import type { Connector, Connectors } from "./connector.ts";
import { createKeyedMutex, type KeyedMutex } from "../async/keyed-mutex.ts";

/** How long closing a connector may delay a reload or a stop. */
const closeMs = 2 * secondMs;

/** Why a connector in force differs from the configuration. */
export interface ConnectorTrouble {
  readonly problem: string;
  /** As configured, at an address that is not proven to lead to the same target. The former one stays in force. */
  readonly proposed?: Connector;
}

/** The troubles now, by connector name. */
export type ConnectorTroubles = ReadonlyMap<string, ConnectorTrouble>;

/** The connectors in force, replaced as a whole. */
export interface ConnectorSet {
  readonly current: Connectors;
  readonly troubles: () => ConnectorTroubles;
  /** Serialises calls about one object, also across a reload. */
  readonly mutex: KeyedMutex;
  /**
   * Puts the connectors in force, then loads their configuration. In this order nothing new is prepared at a connector
   * while it is checked whether it may be removed. A refused or failed load restores the connectors of before. Unused
   * ones are closed; a connector that is in both sets stays open.
   */
  replace<T>(
    next: ReadonlyMap<string, Connector>,
    load: () => Promise<T | Refusal>,
    troubles?: ConnectorTroubles,
  ): Promise<T | Refusal>;
  /** Puts the proposed connector in force, unless it is no longer proposed. */
  accept(name: string, proposed: Connector): Promise<void>;
  /** Closes all connectors when the service stops. */
  close(): Promise<void>;
}

/** Connectors that differ from the configuration, and how an administrator accepts one. */
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
