import type { AccessRequest } from "./access-request.ts";
import type { IdentityId } from "../values/ids.ts";
import {
  accountIn,
  isActive,
  linkName,
  selectorKey,
  type ChatAccount,
  type Identity,
  type Selector,
} from "../values/identity.ts";
import { stagesOf } from "../policy/requirement.ts";

/** Keys to find the pending requests that a change of people may concern. */
export interface ChangedPeople {
  /** People who changed: the subject of a request, or a subject's manager. */
  readonly people: readonly IdentityId[];
  /** Selectors that began or stopped matching somebody, as `selectorKey` writes them. */
  readonly selectors: readonly string[];
}

/**
 * What a change of one person may mean for pending requests; undefined when nothing. Slack user groups are not
 * covered.
 */
export function changedPeople(before: Identity | undefined, after: Identity): ChangedPeople | undefined {
  const had = selectorsOf(before);
  const has = selectorsOf(after);
  const selectors = [...had, ...has].filter((selector) => had.has(selector) !== has.has(selector));
  const isManagerSame = before?.managerId === after.managerId;
  if (selectors.length === 0 && isManagerSame && !hasLostAccount(before, after)) return undefined;
  return { people: [after.id], selectors };
}

/** Whether an account was unlinked: messages already sent to it still show buttons for its owner. */
function hasLostAccount(before: Identity | undefined, after: Identity): boolean {
  return (["slack", "teams"] as const).some((surface) => {
    const account = accountOf(before, surface);
    return account !== "" && account !== accountOf(after, surface);
  });
}

function accountOf(identity: Identity | undefined, surface: ChatAccount["surface"]): string {
  const account =
    identity && (accountIn(identity.links, surface) ?? accountIn(identity.chatLinks ?? {}, surface));
  return account === undefined ? "" : linkName(account);
}

/** Every selector that matches this person, except `manager` and Slack user groups. */
function selectorsOf(identity: Identity | undefined): Set<string> {
  if (identity === undefined || identity.kind !== "HUMAN" || !isActive(identity)) return new Set();
  const { id, email, groups } = identity;
  return new Set([
    selectorKey({ kind: "identity", id }),
    ...(email === undefined ? [] : [selectorKey({ kind: "email", email: email.toLowerCase() })]),
    ...groups.map((group) => selectorKey({ kind: "group", group })),
  ]);
}

/** Merges several changes. */
export function mergeChanges(changes: readonly ChangedPeople[]): ChangedPeople {
  return {
    people: [...new Set(changes.flatMap(({ people }) => people))],
    selectors: [...new Set(changes.flatMap(({ selectors }) => selectors))],
  };
}

/** Whether the change may concern the request's approvers. `managerId`: the subject's manager now. */
export function mayConcern(
  change: ChangedPeople,
  request: AccessRequest,
  managerId: IdentityId | undefined,
): boolean {
  const approvers = stagesOf(request.requirement).flatMap((stage) => [
    ...stage.approvers,
    ...stage.escalateTo.flat(),
  ]);
  return concernsAny(change, approvers, request.subjectId, managerId);
}

/** Whether the change may concern the reviewers of a break-glass use. */
export function mayConcernReviewers(
  change: ChangedPeople,
  { breakGlass, subjectId }: AccessRequest,
  managerId: IdentityId | undefined,
): boolean {
  return concernsAny(change, breakGlass?.review.by ?? [], subjectId, managerId);
}

function concernsAny(
  { people, selectors }: ChangedPeople,
  named: readonly Selector[],
  subjectId: IdentityId,
  managerId: IdentityId | undefined,
): boolean {
  const changed = new Set(selectors);
  const isPerson = (id: IdentityId | undefined): boolean => id !== undefined && people.includes(id);
  return named.some((selector) =>
    selector.kind === "manager"
      ? isPerson(subjectId) || isPerson(managerId)
      : changed.has(selectorKey(selector)),
  );
}
