import type { AccessRequest } from "../../core/access/access-request.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import type { IdentityId } from "../../core/values/ids.ts";
import { selectorKey, type Directory, type Identity, type Selector } from "../../core/values/identity.ts";
import type { Expectation, Versioned } from "../ports/store.ts";
import { expectUnchanged } from "./build-step.ts";

/** Everyone that some ids and selectors mean, as read at one moment. */
export interface LoadedPeople {
  readonly directory: Directory;
  readonly identities: ReadonlyMap<IdentityId, Versioned<Identity>>;
  /** What they were read by; see {@link covers}. Of these ids the managers are included. */
  readonly ids: ReadonlySet<IdentityId>;
  readonly selectorKeys: ReadonlySet<string>;
  /** Slack user groups whose members could not be fetched; here they mean nobody. */
  readonly unknownGroups: readonly string[];
}

/** The people that deciding or showing this request needs. */
export function idsIn(request: AccessRequest): readonly IdentityId[] {
  return [
    request.subjectId,
    request.requestedById,
    ...request.votes.map((vote) => vote.by),
    ...request.asked.map((one) => one.identityId),
  ];
}

export function selectorsIn(request: AccessRequest): readonly Selector[] {
  return [
    ...stagesOf(request.requirement).flatMap((stage) => [...stage.approvers, ...stage.escalateTo.flat()]),
    ...(request.breakGlass?.review.by ?? []),
  ];
}

/** Whether these people include everyone that the request names. Unknown group members are read again. */
export function covers(people: LoadedPeople, request: AccessRequest): boolean {
  const { identities, ids, selectorKeys, unknownGroups } = people;
  const isCovered = (selector: Selector): boolean =>
    selectorKeys.has(selectorKey(selector)) ||
    (selector.kind === "email" && selector.id !== undefined && identities.has(selector.id));
  return (
    unknownGroups.length === 0 &&
    ids.has(request.subjectId) &&
    idsIn(request).every((id) => identities.has(id)) &&
    selectorsIn(request).every(isCovered)
  );
}

/** Expectations that these people are still as they were read. */
export function expectPeople(people: LoadedPeople, ids: readonly IdentityId[]): readonly Expectation[] {
  return ids.flatMap((id) => {
    const identity = people.identities.get(id);
    return identity === undefined ? [] : [expectUnchanged("identity", identity)];
  });
}
