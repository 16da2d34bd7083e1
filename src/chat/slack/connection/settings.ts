/** The settings of Slack, from the environment; see docs/configuration.md. */
export interface SlackSettings {
  readonly botToken: string;
  readonly connection:
    | { readonly mode: "socket"; readonly appToken: string }
    | { readonly mode: "http"; readonly signingSecret: string };
  readonly teamId?: string;
  readonly apiUrl: string;
  readonly linkByEmail: boolean;
  /** Time limit of one call to Slack; 10 s when absent. */
  readonly callMs?: number;
}

export interface SlackLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
