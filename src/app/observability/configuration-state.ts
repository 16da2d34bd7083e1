import type { Instant } from "../../core/values/ids.ts";

/** Whether the service runs on what the configuration file says now, as far as anybody has asked it to look. */
export interface ConfigurationState {
  /** When what is in force was loaded. */
  readonly loadedAt: Instant;
  /** The last reload, when it was refused. */
  readonly refused?: { readonly at: Instant; readonly problems: number };
}
