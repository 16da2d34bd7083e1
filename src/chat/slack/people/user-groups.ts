import { secondMs } from "../../../core/values/time.ts";
import type { UserGroups } from "../../../service/ports/user-groups.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";
import { slackErrorOf } from "../connection/delivery-faults.ts";
import type { SlackClient } from "../connection/slack-client.ts";

/** Time limit for reading the members of all groups, because a press waits for it. */
const checkTimeoutMs = 2 * secondMs;

/** Reads the members of user groups from Slack each time; the service caches them. */
export function createSlackUserGroups(client: SlackClient, teamId: () => string | undefined): UserGroups {
  /** Leaves out a group that does not exist. */
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
      const found = await resolveWithin(Promise.all([...new Set(ids)].map(listed)), checkTimeoutMs);
      if (found === undefined) throw new Error("Slack did not return the user group's members in time");
      return new Map(found.flat());
    },
  };
}
