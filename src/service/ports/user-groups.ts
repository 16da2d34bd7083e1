import type { Instant } from "../../core/values/ids.ts";
import { linkName } from "../../core/values/identity.ts";
import { backOffMs } from "../../core/values/back-off.ts";
import { minuteMs, plus, secondMs } from "../../core/values/time.ts";

/** Members of Slack user groups. Calls Slack each time, and throws when Slack does not answer. */
export interface UserGroups {
  /** By group id (`S…`): the Slack user ids of its members. Unknown groups are left out. */
  membersOf(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** The workspace these user ids belong to: the first half of a Slack link. */
  readonly teamId: string;
}

/**
 * `verify`: for a decision, always fetched. `cached`: for cards and lists, usually at most {@link membersKeptMs} old.
 */
export type Freshness = "verify" | "cached";

/** Cached members up to this age are used as they are. */
export const membersKeptMs = 60 * secondMs;
/** Older ones are used up to this age, while they are fetched again in the background. */
const membersUsableMs = 10 * minuteMs;
/** Longest pause before Slack is called again after failures; for cached reads only. */
const backOffMaxMs = minuteMs;

export interface MembersFound {
  /** By group id: link names of the members. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** Groups whose members could not be fetched: whether a person belongs to them is not known. */
  readonly unknown: readonly string[];
}

/** Members of user groups for the services. Never throws; names the groups that are unknown. */
export interface UserGroupReader {
  find(ids: readonly string[], freshness: Freshness): Promise<MembersFound>;
}

/**
 * Slack's user groups with a cache. A decision always fetches them, and never falls back to the cache. Cards and lists
 * do not wait for Slack while the cache is usable.
 */
export function createUserGroupReader(
  groups: UserGroups,
  now: () => Instant,
  random: () => number = Math.random,
): UserGroupReader {
  const kept = new Map<string, { readonly at: Instant; readonly members: readonly string[] }>();
  const running = new Map<string, Promise<boolean>>();
  let failures = 0;
  let notBefore: Instant | undefined;

  const fetchMembers = async (ids: readonly string[]): Promise<boolean> => {
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

  /** For cached reads: one call at a time for the same groups, and a pause after failures. */
  const fetchForCache = async (ids: readonly string[]): Promise<boolean> => {
    const key = ids.toSorted().join(" ");
    const inFlight = running.get(key);
    if (inFlight !== undefined) return inFlight;
    if (notBefore !== undefined && now() < notBefore) return false;
    const answer = fetchMembers(ids).finally(() => running.delete(key));
    running.set(key, answer);
    return answer;
  };

  const isYounger = (id: string, ageMs: number): boolean => {
    const group = kept.get(id);
    return group !== undefined && now() - group.at < ageMs;
  };

  const findUnknown = async (ids: readonly string[], freshness: Freshness): Promise<readonly string[]> => {
    if (freshness === "verify") return (await fetchMembers(ids)) ? [] : ids;
    const old = ids.filter((id) => !isYounger(id, membersKeptMs));
    if (old.length === 0) return [];
    const unusable = old.filter((id) => !isYounger(id, membersUsableMs));
    const answer = fetchForCache(old);
    return unusable.length === 0 || (await answer) ? [] : unusable;
  };

  return {
    async find(ids, freshness) {
      const unknown = ids.length === 0 ? [] : await findUnknown(ids, freshness);
      const known = ids.filter((id) => !unknown.includes(id));
      return { members: new Map(known.map((id) => [id, kept.get(id)?.members ?? []])), unknown };
    },
  };
}
