import type { Instant } from "../../core/values/ids.ts";
import type { KeyedMutex } from "../../service/async/keyed-mutex.ts";

/** The dependencies of every kind of connector. */
export interface ConnectorPorts {
  /** Identifies this installation in every label, for as long as its database exists. */
  readonly instance: string;
  readonly now: () => Instant;
}

/** The dependencies of a connector at whose target many grants are changed at the same time. */
export interface ServerPorts extends ConnectorPorts {
  /** Serialises the changes of one role within this process. Several processes need a shared lock. */
  readonly mutex: KeyedMutex;
}
