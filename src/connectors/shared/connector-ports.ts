import type { Instant } from "../../core/values/ids.ts";
import type { KeyedMutex } from "../../service/async/keyed-mutex.ts";

/** What every kind of connector is given beside its settings. */
export interface ConnectorPorts {
  /** Names this installation in every label; the same for as long as its database lives. */
  readonly instance: string;
  readonly now: () => Instant;
}

/** What a connector is given whose target many grants change at once. */
export interface ServerPorts extends ConnectorPorts {
  /** Serialises what is done to one role, in this process; a store that several processes share brings its own. */
  readonly mutex: KeyedMutex;
}
