import type { AccessRequest } from "../../core/access/access-request.ts";
import { isApproverOf } from "../../core/access/approvals.ts";
import { isReviewerOf } from "../../core/decisions/decide-review.ts";
import { parseId, type IdentityId, type Instant } from "../../core/values/ids.ts";
import { formatSelector, type Identity } from "../../core/values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { parseScope } from "../../core/values/scopes.ts";
import type { Status } from "../../core/access/status.ts";
import { parseInstant } from "../../core/values/time.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { isSelf, mayReadAll, type Caller } from "../ports/caller.ts";
import { findCase } from "../decisions/decide-case.ts";
import {
  idsIn,
  loadPeople,
  selectorsIn,
  userGroupsOf,
  type ServiceContext,
} from "../decisions/load-facts.ts";
import { findNamedIdentity } from "../people/find-identity.ts";
import type { Page, PageQuery, Viewer } from "../ports/store.ts";
import { viewsOf } from "../decisions/build-views.ts";
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

/** A reader's patience: the answer comes when the request changes, and at the latest after `ms`. */
export interface Wait {
  readonly ms: number;
  /** Whether the reader knows this state already; one they do not know is answered at once. */
  readonly isKnown?: (view: RequestView) => boolean;
  /** Ends the wait, when the reader has gone or we stop. */
  readonly signal: AbortSignal;
}

/** What callers may see of requests: their own, those they decide or review, all for auditors and administrators. */
export interface RequestQueries {
  read(caller: Caller, id: string, wait?: Wait): Promise<RequestView | Refusal>;
  list(caller: Caller, query: ListQuery, page: PageQuery): Promise<Page<RequestView> | Refusal>;
  /** The view of a request this call has just changed. */
  show(request: AccessRequest): Promise<RequestView>;
}

export function createRequestQueries(context: ServiceContext): RequestQueries {
  const { store, runtime } = context;

  const viewOf = async (id: string): Promise<RequestView | Refusal> => {
    const requestId = parseId("request", id);
    const found = requestId === undefined ? undefined : await store.request(requestId);
    const [view] = found === undefined ? [] : await viewsOf(context, [found]);
    return view ?? refuse("not_found", `There is no request "${id.slice(0, 80)}".`);
  };

  return {
    async read(caller, id, wait) {
      const loaded = await findCase(context, id);
      if (isRefusal(loaded)) return loaded;
      const { request } = loaded.accessCase;
      if (!mayReadAll(caller) && !(await isInvolved(context, caller.identity, request))) {
        return refuse("not_found", `There is no request "${id.slice(0, 80)}".`);
      }
      if (wait === undefined) return viewOf(id);
      // Listening begins before the state is read, so that no change falls between the two.
      const listening = new AbortController();
      const signal = AbortSignal.any([wait.signal, listening.signal]);
      const changed = context.requestChanges.next(request.id, wait.ms, signal);
      const view = await viewOf(id);
      const hasChanged = isRefusal(view) || wait.isKnown?.(view) === false;
      if (hasChanged || view.endedAt !== null) {
        listening.abort();
        return view;
      }
      await Promise.race([changed, clockChange(view, runtime.now(), wait.ms, signal)]);
      listening.abort();
      return viewOf(id);
    },
    async list(caller, query, page) {
      const me = viewerOf(caller.identity, await userGroupsOf(context, caller.identity));
      const subjectId = await subjectOf(context, caller, me, query.identityId);
      if (isRefusal(subjectId)) return subjectId;
      const scope = query.scope === undefined ? undefined : parseScope(query.scope);
      if (query.scope !== undefined && scope === undefined) return { rows: [], next: null };
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
      return { rows: await viewsOf(context, rows), next };
    },
    async show(request) {
      const view = await viewOf(request.id);
      if (isRefusal(view)) throw new Error(`request ${request.id} was just written and is not there`);
      return view;
    },
  };
}

/**
 * Whose requests are asked for. A name that means nobody is refused, and so is, in the same words, somebody of whom a
 * caller who may not read identities sees nothing: they cannot try out who there is.
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

/** Every selector text that means this person, but for `manager`, which depends on the subject. */
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

async function isInvolved(
  context: ServiceContext,
  person: Identity,
  request: AccessRequest,
): Promise<boolean> {
  const own: readonly IdentityId[] = [
    request.subjectId,
    request.requestedById,
    ...request.votes.map((vote) => vote.by),
  ];
  if (own.includes(person.id)) return true;
  const { directory } = await loadPeople(context, [...idsIn(request), person.id], selectorsIn(request));
  return isApproverOf(request, person.id, directory) || isReviewerOf(request, person, directory);
}

/** Names the state of a view, for a reader to say what it knows: what people can see of it changes with it. */
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

/** The moment at which the clock alone changes what this view says, if that comes before patience ends. */
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
