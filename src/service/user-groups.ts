/** Who is in a Slack user group, as Slack says it at this moment. Asks each time; throws when Slack cannot be asked. */
export interface UserGroups {
  /** By group id (`S…`): the Slack user ids of its members; a group that is not there is left out. */
  membersOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The workspace these user ids belong to: the first half of a Slack link. */
  readonly teamId: string;
}
