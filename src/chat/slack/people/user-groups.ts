import { secondMs } from "../../../core/values/time.ts";
import type { UserGroups } from "../../../service/ports/user-groups.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";
import { slackErrorOf } from "../connection/delivery-faults.ts";
import type { SlackClient } from "../connection/slack-client.ts";

/** How long Slack may take to say who is in all of the groups asked about; a press waits for it. */
const checkMs = 2 * secondMs;

/** Members of Slack's user groups, asked of Slack each time; who caches them is the service. */
export function createSlackUserGroups(client: SlackClient, teamId: () => string | undefined): UserGroups {
  /** A group that is not there is left out. */
  const listed = async (usergroup: string): Promise<readonly [string, readonly string[]][]> => {
    try {
      const { users } = await client.usergroups.users.list({ usergroup });
      return [[usergroup, users ?? []]];
    } catch (error) {
      if (slackErrorOf(error) === "no_such_subteam") return [];
      throw error;
    }
  };
  return {
    get teamId() {
      return teamId() ?? "";
    },
    async membersOf(ids) {
      const found = await resolveWithin(Promise.all([...new Set(ids)].map(listed)), checkMs);
      if (found === undefined) throw new Error("Slack did not say in time who is in a user group");
      return new Map(found.flat());
    },
  };
}
