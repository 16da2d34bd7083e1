import type { Instant } from "../core/ids.ts";

/** What every kind of connector is given beside its settings. */
export interface ConnectorPorts {
  /** Names this installation in every label; the same for as long as its database lives. */
  readonly instance: string;
  readonly now: () => Instant;
}
