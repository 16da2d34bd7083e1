import type { Instant } from "../../core/values/ids.ts";
import { linkName } from "../../core/values/identity.ts";
import { backOffMs } from "../../core/values/back-off.ts";
import { minuteMs, plus, secondMs } from "../../core/values/time.ts";

/** Who is in a Slack user group, as Slack says it at this moment. Asks each time; throws when Slack cannot be asked. */
export interface UserGroups {
  /** By group id (`S…`): the Slack user ids of its members; a group that is not there is left out. */
  membersOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The workspace these user ids belong to: the first half of a Slack link. */
  readonly teamId: string;
}

/** `press`: for a decision, asked afresh. `show`: for cards and lists, at most {@link membersKeptMs} old. */
export type Freshness = "verify" | "cached";

/** For showing, members of this age are used as they are. */
export const membersKeptMs = 60 * secondMs;
/** For showing, older ones go on being used up to this age, while Slack is asked again. */
const membersUsableMs = 10 * minuteMs;
/** For showing, a Slack that failed is left alone for a growing time up to this. */
const backOffMaxMs = minuteMs;

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

/**
 * Slack's user groups with what was heard lately. Pressing asks afresh; a failure then is not covered by what was heard.
 * Showing never waits for a Slack that has told us lately.
 */
export function createUserGroupReader(
  groups: UserGroups,
  now: () => Instant,
  random: () => number = Math.random,
): UserGroupReader {
  const kept = new Map<string, { readonly at: Instant; readonly members: readonly string[] }>();
  const asking = new Map<string, Promise<boolean>>();
  let failures = 0;
  let notBefore: Instant | undefined;

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
      failures = 0;
      notBefore = undefined;
      return true;
    } catch {
      failures++;
      notBefore = plus(now(), Math.round(backOffMs(failures, backOffMaxMs, random())));
      return false;
    }
  };

  /** For showing: one question at a time about the same groups, and none too soon after a failure. */
  const askForShowing = async (ids: readonly string[]): Promise<boolean> => {
    const key = ids.toSorted().join(" ");
    const inFlight = asking.get(key);
    if (inFlight !== undefined) return inFlight;
    if (notBefore !== undefined && now() < notBefore) return false;
    const answer = ask(ids).finally(() => asking.delete(key));
    asking.set(key, answer);
    return answer;
  };

  const isYounger = (id: string, ageMs: number): boolean => {
    const one = kept.get(id);
    return one !== undefined && now() - one.at < ageMs;
  };

  const unansweredOf = async (ids: readonly string[], freshness: Freshness): Promise<readonly string[]> => {
    if (freshness === "verify") return (await ask(ids)) ? [] : ids;
    const old = ids.filter((id) => !isYounger(id, membersKeptMs));
    if (old.length === 0) return [];
    const unusable = old.filter((id) => !isYounger(id, membersUsableMs));
    const answer = askForShowing(old);
    return unusable.length === 0 || (await answer) ? [] : unusable;
  };

  return {
    async find(ids, freshness) {
      const unknown = ids.length === 0 ? [] : await unansweredOf(ids, freshness);
      const known = ids.filter((id) => !unknown.includes(id));
      return { members: new Map(known.map((id) => [id, kept.get(id)?.members ?? []])), unknown };
    },
  };
}
