import type { Instant } from "../core/ids.ts";
import { linkName } from "../core/people.ts";
import { secondMs } from "../core/time.ts";

/** Who is in a Slack user group, as Slack says it at this moment. Asks each time; throws when Slack cannot be asked. */
export interface UserGroups {
  /** By group id (`S…`): the Slack user ids of its members; a group that is not there is left out. */
  membersOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The workspace these user ids belong to: the first half of a Slack link. */
  readonly teamId: string;
}

/** `press`: for a decision, asked afresh. `show`: for cards and lists, at most {@link membersKeptMs} old. */
export type Freshness = "press" | "show";

/** How long members are kept for showing. */
export const membersKeptMs = 60 * secondMs;

export interface MembersFound {
  /** By group id: link names of the members. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** Groups nobody could be asked about: whether somebody is in them is not known. */
  readonly unknown: readonly string[];
}

/** Members of user groups for the services: never throws, says what is not known. */
export interface UserGroupReader {
  find(ids: readonly string[], freshness: Freshness): Promise<MembersFound>;
}

/** Slack's user groups with what was heard lately. Pressing asks afresh; a failure then is not covered by what was heard. */
export function createUserGroupReader(groups: UserGroups, now: () => Instant): UserGroupReader {
  const kept = new Map<string, { readonly at: Instant; readonly members: readonly string[] }>();

  const ask = async (ids: readonly string[]): Promise<boolean> => {
    try {
      const found = await groups.membersOf(ids);
      const at = now();
      for (const id of ids) {
        const members = (found.get(id) ?? []).map((user) =>
          linkName({ surface: "slack", team: groups.teamId, user }),
        );
        kept.set(id, { at, members });
      }
      return true;
    } catch {
      return false;
    }
  };

  const isKept = (id: string): boolean => {
    const one = kept.get(id);
    return one !== undefined && now() - one.at < membersKeptMs;
  };

  return {
    async find(ids, freshness) {
      const wanted = freshness === "press" ? ids : ids.filter((id) => !isKept(id));
      const isAnswered = wanted.length === 0 || (await ask(wanted));
      const unknown = isAnswered ? [] : wanted;
      const known = ids.filter((id) => !unknown.includes(id));
      return { members: new Map(known.map((id) => [id, kept.get(id)?.members ?? []])), unknown };
    },
  };
}
