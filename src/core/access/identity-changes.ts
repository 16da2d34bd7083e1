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

/** By what a waiting request is found that a change of people may concern. */
export interface ChangedPeople {
  /** Each is perhaps the subject of a request, or the manager of one. */
  readonly people: readonly IdentityId[];
  /** Selectors that have begun or ceased to mean somebody, as `selectorKey` writes them. */
  readonly selectors: readonly string[];
}

/** What this change of one person may mean for waiting requests; undefined: nothing. Slack's groups are not seen here. */
export function changedPeople(before: Identity | undefined, after: Identity): ChangedPeople | undefined {
  const had = selectorsOf(before);
  const has = selectorsOf(after);
  const selectors = [...had, ...has].filter((one) => had.has(one) !== has.has(one));
  const isManagerSame = before?.managerId === after.managerId;
  if (selectors.length === 0 && isManagerSame && !hasLostAccount(before, after)) return undefined;
  return { people: [after.id], selectors };
}

/** Messages that this account was sent still offer what only its owner may press. */
function hasLostAccount(before: Identity | undefined, after: Identity): boolean {
  return (["slack", "teams"] as const).some((surface) => {
    const had = accountOf(before, surface);
    return had !== "" && had !== accountOf(after, surface);
  });
}

function accountOf(one: Identity | undefined, surface: ChatAccount["surface"]): string {
  const account = one && (accountIn(one.links, surface) ?? accountIn(one.chatLinks ?? {}, surface));
  return account === undefined ? "" : linkName(account);
}

/** Every selector but `manager` and Slack's groups that means this person. */
function selectorsOf(identity: Identity | undefined): Set<string> {
  if (identity === undefined || identity.kind !== "HUMAN" || !isActive(identity)) return new Set();
  const { id, email, groups } = identity;
  return new Set([
    selectorKey({ kind: "identity", id }),
    ...(email === undefined ? [] : [selectorKey({ kind: "email", email: email.toLowerCase() })]),
    ...groups.map((group) => selectorKey({ kind: "group", group })),
  ]);
}

/** Several changes as one. */
export function joinedChanges(changes: readonly ChangedPeople[]): ChangedPeople {
  return {
    people: [...new Set(changes.flatMap((one) => one.people))],
    selectors: [...new Set(changes.flatMap((one) => one.selectors))],
  };
}

/** Whether the change may concern the approvers of this request. `managerId`: of its subject today. */
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

/** The same for who reviews it as an emergency. */
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
