import type { UserGroups } from "../service/user-groups.ts";
import { slackErrorOf } from "./faults.ts";
import type { SlackClient } from "./outbound.ts";

/** Members of Slack's user groups, asked of Slack each time; who caches them is the service. */
export function createSlackUserGroups(client: SlackClient, teamId: () => string | undefined): UserGroups {
  return {
    get teamId() {
      return teamId() ?? "";
    },
    async membersOf(ids) {
      const found = new Map<string, readonly string[]>();
      for (const usergroup of new Set(ids)) {
        try {
          const { users } = await client.usergroups.users.list({ usergroup });
          found.set(usergroup, users ?? []);
        } catch (error) {
          if (slackErrorOf(error) !== "no_such_subteam") throw error;
        }
      }
      return found;
    },
  };
}
