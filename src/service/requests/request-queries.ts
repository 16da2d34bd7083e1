import type { AccessRequest } from "../../core/access/access-request.ts";
import { isApproverOf } from "../../core/access/approvals.ts";
import { isReviewerOf } from "../../core/decisions/decide-review.ts";
import { parseId, type IdentityId, type Instant } from "../../core/values/ids.ts";
import { directoryOf, formatSelector, type Directory, type Identity } from "../../core/values/identity.ts";
import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { parseScope } from "../../core/values/scopes.ts";
import type { Status } from "../../core/access/status.ts";
import { parseInstant } from "../../core/values/time.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { isSelf, mayReadAll, type Caller } from "../ports/caller.ts";
import { requestNotFound } from "../decisions/load-case.ts";
import { userGroupsOf, type ServiceContext } from "../decisions/load-facts.ts";
import { findNamedIdentity } from "../people/find-identity.ts";
import type { Page, PageQuery, Viewer } from "../ports/store.ts";
import { showRequest, viewsOf } from "../decisions/build-views.ts";
import { storedRequestOf } from "../decisions/stored-request.ts";
import type { RequestView } from "../views/request-view.ts";

export interface ListQuery {
  readonly status?: Status;
  /** By id or e-mail address. */
  readonly identityId?: string;
  readonly scope?: string;
  readonly approver?: "me";
  readonly reviewer?: "me";
  readonly since?: Instant;
  readonly until?: Instant;
}

/** A long poll: the answer comes when the request changes, and at the latest after `ms`. */
export interface Wait {
  readonly ms: number;
  /** Whether the reader has seen this state already. An unseen one is answered at once. */
  readonly isKnown?: (view: RequestView) => boolean;
  /** Ends the wait when the reader has disconnected or the service stops. */
  readonly signal: AbortSignal;
  /** The reader as of now. They are checked again after the wait, because they may have lost a right meanwhile. */
  readonly callerNow: () => Promise<Caller>;
}

/** A page of requests, and the people that they name. */
export interface RequestPage extends Page<RequestView> {
  readonly directory: Directory;
}

/** What callers may see: their own requests, and those they decide or review. Auditors and administrators see all. */
export interface RequestQueries {
  read(caller: Caller, id: string, wait?: Wait): Promise<RequestView | Refusal>;
  list(caller: Caller, query: ListQuery, page: PageQuery): Promise<RequestPage | Refusal>;
}

export function createRequestQueries(context: ServiceContext): RequestQueries {
  const { store, runtime } = context;

  /** The request as this caller sees it now; not found unless they may see it. */
  const read = async (caller: Caller, id: string): Promise<RequestView | Refusal> => {
    const requestId = parseId("request", id);
    const found = requestId === undefined ? undefined : await store.request(requestId);
    if (found === undefined) return requestNotFound(id);
    const { people, view } = await showRequest(context, storedRequestOf(found));
    const isAllowed =
      mayReadAll(caller) || isInvolved(caller.identity, found.request.value, people.directory);
    return isAllowed ? view : requestNotFound(id);
  };

  return {
    async read(caller, id, wait) {
      const requestId = parseId("request", id);
      if (wait === undefined || requestId === undefined) return read(caller, id);
      // Subscribes before the state is read, so that no change is missed in between.
      const subscription = new AbortController();
      const signal = AbortSignal.any([wait.signal, subscription.signal]);
      const changed = context.requestChanges.next(requestId, wait.ms, signal);
      try {
        const view = await read(caller, id);
        if (isRefusal(view) || wait.isKnown?.(view) === false || view.endedAt !== null) return view;
        await Promise.race([changed, clockChange(view, runtime.now(), wait.ms, signal)]);
      } finally {
        subscription.abort();
      }
      return read(await wait.callerNow(), id);
    },
    async list(caller, query, page) {
      const me = viewerOf(caller.identity, await userGroupsOf(context, caller.identity));
      const subjectId = await subjectOf(context, caller, me, query.identityId);
      if (isRefusal(subjectId)) return subjectId;
      const scope = query.scope === undefined ? undefined : parseScope(query.scope);
      if (query.scope !== undefined && scope === undefined) {
        return { rows: [], next: null, directory: directoryOf([]) };
      }
      const { rows, next } = await store.requests(
        {
          now: runtime.now(),
          ...(!mayReadAll(caller) && { visibleTo: me }),
          ...(query.approver !== undefined && { approver: me }),
          ...(query.reviewer !== undefined && { reviewer: me }),
          ...(subjectId !== undefined && { subjectId }),
          ...(scope !== undefined && { scope }),
          ...(query.status !== undefined && { status: query.status }),
          ...(query.since !== undefined && { since: query.since }),
          ...(query.until !== undefined && { until: query.until }),
        },
        page,
      );
      const { views, directory } = await viewsOf(context, rows);
      return { rows: views, next, directory };
    },
  };
}

/**
 * Whose requests are listed. An unknown name is refused. So is, with the same words, a person of whom this caller sees
 * no request and may not read the identity: nobody can probe which people exist.
 */
async function subjectOf(
  { store, runtime }: ServiceContext,
  caller: Caller,
  me: Viewer,
  name: string | undefined,
): Promise<IdentityId | Refusal | undefined> {
  if (name === undefined) return undefined;
  const subjectId = (await findNamedIdentity(store, name))?.value.id;
  if (subjectId === undefined) return unknownIdentity(name);
  if (mayReadAll(caller) || isSelf(caller, subjectId)) return subjectId;
  const seen = await store.requests({ now: runtime.now(), visibleTo: me, subjectId }, { limit: 1 });
  return seen.rows.length > 0 ? subjectId : unknownIdentity(name);
}

/** Every selector text that means this person, except `manager`, which depends on the subject. */
function viewerOf(identity: Identity, userGroups: readonly string[]): Viewer {
  return {
    id: identity.id,
    selectors: [
      formatSelector({ kind: "identity", id: identity.id }),
      ...identity.groups.map((group) => formatSelector({ kind: "group", group })),
      ...userGroups.map((id) => formatSelector({ kind: "slack-usergroup", id })),
      ...(identity.email === undefined ? [] : [identity.email.toLowerCase()]),
    ],
  };
}

function isInvolved(person: Identity, request: AccessRequest, directory: Directory): boolean {
  const own: readonly IdentityId[] = [
    request.subjectId,
    request.requestedById,
    ...request.votes.map((vote) => vote.by),
  ];
  if (own.includes(person.id)) return true;
  return isApproverOf(request, person.id, directory) || isReviewerOf(request, person, directory);
}

/** Names the state of a view, so that a reader can say which one they have. It changes with what the view shows. */
export function stateTag(view: RequestView): string {
  const { status, revision, expiresAt, approvals, approvers, grant, review } = view;
  return JSON.stringify([
    status,
    revision,
    expiresAt,
    approvals.map((one) => one.given),
    approvers.map((one) => one.status),
    grant?.credential?.id ?? null,
    grant?.targets.map((one) => [one.state, one.drift.length]) ?? null,
    review?.reviews.length ?? null,
  ]);
}

/** Resolves when the clock alone changes what this view says, and at the latest after `ms`. */
async function clockChange(view: RequestView, now: Instant, ms: number, signal: AbortSignal): Promise<void> {
  const times = { PENDING: view.approvalDeadline, APPROVED: view.claimDeadline, ACTIVE: view.expiresAt };
  const text = view.status in times ? Reflect.get(times, view.status) : null;
  const at = typeof text === "string" ? parseInstant(text) : undefined;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, Math.max(0, Math.min(ms, at === undefined ? ms : at - now)));
  signal.addEventListener("abort", () => resolve(), { once: true });
  await promise;
  clearTimeout(timer);
}
