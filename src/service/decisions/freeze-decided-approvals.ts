import type { Recorded } from "../../core/access/events.ts";
import { freezeApprovals, requestsDecidedIn } from "../../core/access/freeze-approvals.ts";
import { formatSelector, type Directory } from "../../core/values/identity.ts";
import type { AccessRequest } from "../../core/access/access-request.ts";
import { loadPeopleOf, type ServiceContext } from "./load-facts.ts";
import type { LoadedPeople } from "./loaded-people.ts";

/**
 * What has happened, with the approvals of each request that it decides frozen. They are frozen in the same commit, so
 * that no later change of people alters what a decision was made of.
 *
 * @param known The people that the decision was made from.
 */
export async function withFrozenApprovals(
  context: ServiceContext,
  requests: readonly AccessRequest[],
  happened: readonly Recorded[],
  known: LoadedPeople | undefined,
): Promise<readonly Recorded[]> {
  const decided = requestsDecidedIn(requests, happened);
  if (decided.length === 0) return happened;
  const { directory, unknownGroups } = await loadPeopleOf(context, decided, known);
  const now = context.runtime.now();
  const frozen = decided.flatMap((request) =>
    freezeApprovals(request, withVoters(request, directory, unknownGroups), now),
  );
  return [...happened, ...frozen];
}

/** While the members of a user group are unknown, everyone who voted as a member still counts as one. */
function withVoters(
  request: AccessRequest,
  directory: Directory,
  unknownGroups: readonly string[],
): Directory {
  if (unknownGroups.length === 0) return directory;
  return {
    identity: (id) => directory.identity(id),
    people: (selector, subjectId) => {
      if (selector.kind !== "slack-usergroup" || !unknownGroups.includes(selector.id)) {
        return directory.people(selector, subjectId);
      }
      const voters = request.votes.filter((vote) => vote.as?.includes(formatSelector(selector)) === true);
      return voters.flatMap((vote) => directory.identity(vote.by) ?? []);
    },
  };
}
