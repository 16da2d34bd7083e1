import type { Recorded } from "../../core/access/events.ts";
import { freezeApprovals, requestsDecidedIn } from "../../core/access/freeze-approvals.ts";
import { formatSelector, type Directory } from "../../core/values/identity.ts";
import type { AccessRequest } from "../../core/access/access-request.ts";
import { idsIn, loadPeople, selectorsIn, type ServiceContext } from "./load-facts.ts";

/**
 * What has happened, with the approvals of every one of these requests that it decides frozen as they stand now. It belongs to the
 * same commit: no later change of people may alter what a decision was made of.
 */
export async function withFrozenApprovals(
  context: ServiceContext,
  requests: readonly AccessRequest[],
  happened: readonly Recorded[],
): Promise<readonly Recorded[]> {
  const decided = requestsDecidedIn(requests, happened);
  if (decided.length === 0) return happened;
  const frozen = await Promise.all(
    decided.map(async (request) => {
      const people = await loadPeople(context, idsIn(request), selectorsIn(request));
      const directory = withVoters(request, people.directory, people.unknownGroups);
      return freezeApprovals(request, directory, context.runtime.now());
    }),
  );
  return [...happened, ...frozen.flat()];
}

/** While Slack cannot say who is in a user group, whoever voted as a member of it still counts as one. */
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
