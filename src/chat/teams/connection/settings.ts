/** The settings of Teams, from the environment; see docs/configuration.md. */
export interface TeamsSettings {
  readonly appId: string;
  readonly appPassword: string;
  /** In lower case. */
  readonly tenantId: string;
  readonly loginUrl: string;
  readonly openIdMetadataUrl: string;
  readonly serviceUrlHosts: readonly string[];
  readonly linkByEmail: boolean;
}

export interface TeamsLog {
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
