import type { Instant } from "../../core/values/ids.ts";

/** Which configuration is in force, and whether the last reload was rejected. */
export interface ConfigurationState {
  /** When the configuration in force was loaded. */
  readonly loadedAt: Instant;
  /** The last reload, if it was rejected. */
  readonly refused?: { readonly at: Instant; readonly problems: number };
}
