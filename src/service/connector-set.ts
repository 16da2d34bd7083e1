import { isRefusal, type Refusal } from "../core/refusals.ts";
import { secondMs } from "../core/time.ts";
import type { Connector, Connectors } from "./connector.ts";
import { createTurns, type Turns } from "./turns.ts";

/** A target that does not let go holds up neither a reload nor a stop for longer than this. */
const closeMs = 2 * secondMs;

/** The connectors in force, changeable as a whole. */
export interface ConnectorSet {
  readonly current: Connectors;
  /** What connectors do to one object comes one after the other, also across a reload. */
  readonly turns: Turns;
  /**
   * Puts others in force and then loads the configuration they belong to: in this order nothing new is ordered at one
   * that leaves while it is asked whether it may. When the load is refused or fails, everything is as before. Those that
   * are no longer used are closed; a connector that is in both stays open.
   */
  replace<T>(next: ReadonlyMap<string, Connector>, load: () => Promise<T | Refusal>): Promise<T | Refusal>;
  /** Closes all, at the end. */
  close(): Promise<void>;
}

export function createConnectorSet(): ConnectorSet {
  let inForce: ReadonlyMap<string, Connector> = new Map();
  return {
    current: () => inForce,
    turns: createTurns(),
    async replace(next, load) {
      const before = inForce;
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
    close: async () => closeAll(inForce, new Map()),
  };
}

async function closeAll(
  left: ReadonlyMap<string, Connector>,
  kept: ReadonlyMap<string, Connector>,
): Promise<void> {
  const inUse = new Set(kept.values());
  const closing = [...left.values()].filter((connector) => !inUse.has(connector));
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, closeMs);
  await Promise.race([Promise.allSettled(closing.map((connector) => connector.close())), promise]);
  clearTimeout(timer);
}
