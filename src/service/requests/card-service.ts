import type { AccessRequest } from "../../core/access/access-request.ts";
import { isApproverOf, selectorsMatching, stagesCounting } from "../../core/access/approvals.ts";
import type { Grant } from "../../core/access/grant.ts";
import { parseId, type IdentityId } from "../../core/values/ids.ts";
import type { Audience } from "../../core/effects/notices.ts";
import {
  accountIn,
  formatSelector,
  type ChatAccount,
  type Directory,
  type Via,
} from "../../core/values/identity.ts";
import { isRefusal } from "../../core/values/refusals.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import { isReviewerOf } from "../../core/decisions/decide-review.ts";
import { scopeSetKey } from "../../core/values/scopes.ts";
import { formatInstant } from "../../core/values/time.ts";
import { actionsFor, type Card, type Decidable } from "../views/card.ts";
import { mayReadAll, type Caller } from "../ports/caller.ts";
import { mentionsOf, unreachedChannels } from "../messaging/channel-reach.ts";
import type { CardService } from "./card-source.ts";
import { reachOf } from "../views/delivery-status.ts";
import { requestNotFound } from "../decisions/load-case.ts";
import { loadPeople, type ServiceContext } from "../decisions/load-facts.ts";
import { idsIn, selectorsIn, type LoadedPeople } from "../decisions/loaded-people.ts";
import type { IndexedRulebook } from "../decisions/rulebook-reader.ts";
import { storedRequestOf, type ShownRequest, type StoredRequest } from "../decisions/stored-request.ts";
import type { Delivery } from "../ports/store.ts";
import { recordAnswer } from "./record-posted-answer.ts";
import { requestView } from "../views/request-view.ts";

/** How many earlier requests are searched for the last decision. */
const lookBackMax = 10;

/** Makes cards from the state and the clock, each for one reader. */
export function createCardService(context: ServiceContext): CardService {
  const { store } = context;

  const find = async (id: string): Promise<StoredRequest | undefined> => {
    const requestId = parseId("request", id);
    const found = requestId === undefined ? undefined : await store.request(requestId);
    return found === undefined ? undefined : storedRequestOf(found);
  };
  /** The request with what this caller is to it; undefined when they have no part in it. */
  const findOwn = async (caller: Caller, id: string) => {
    const found = await find(id);
    if (found === undefined) return undefined;
    const people = await loadReaderAndPeople(context, found.request, caller.identity.id);
    const audience = audienceOf(found.request, caller, people.directory);
    return audience === undefined ? undefined : { stored: { ...found, people }, audience };
  };

  return {
    async cardFor(id, audience, reader) {
      const found = await find(id);
      if (found === undefined) return undefined;
      const people = await loadReaderAndPeople(context, found.request, reader);
      return cardOfStored(context, { ...found, people }, audience, reader);
    },
    async cardOf(caller, id) {
      const own = await findOwn(caller, id);
      return own === undefined
        ? requestNotFound(id)
        : cardOfStored(context, own.stored, own.audience, caller.identity.id);
    },
    async cardOfShown(caller, shown) {
      const audience = audienceOf(shown.request, caller, shown.people.directory);
      return audience === undefined
        ? requestNotFound(shown.request.id)
        : cardOfShown(context, shown, audience, caller.identity.id);
    },
    versionOf: async (id) => (await find(id))?.version,
    async recordAnswer(caller, id, posted) {
      const own = await findOwn(caller, id);
      if (own === undefined) return;
      await recordAnswer(context, own.stored.request, own.audience, caller, posted);
    },
  };
}

/** Everyone the request names, and the reader. */
async function loadReaderAndPeople(
  context: ServiceContext,
  request: AccessRequest,
  reader: IdentityId | null,
): Promise<LoadedPeople> {
  const ids = reader === null ? idsIn(request) : [...idsIn(request), reader];
  return loadPeople(context, ids, selectorsIn(request));
}

/** This caller's part in the request; undefined when they have none. */
function audienceOf(request: AccessRequest, caller: Caller, directory: Directory): Audience | undefined {
  const { id } = caller.identity;
  if (request.subjectId === id || request.requestedById === id) return "requester";
  const person = directory.identity(id) ?? caller.identity;
  if (isReviewerOf(request, person, directory)) return "reviewer";
  const hasVoted = request.votes.some((vote) => vote.by === id);
  return hasVoted || isApproverOf(request, id, directory) || mayReadAll(caller) ? "approver" : undefined;
}

/** Makes the view and the card of a request that was just read. */
async function cardOfStored(
  context: ServiceContext,
  { request, grant, version, people }: StoredRequest & { readonly people: LoadedPeople },
  audience: Audience,
  reader: IdentityId | null,
): Promise<Card> {
  const { store, runtime, surfaces } = context;
  const deliveries = await store.deliveries([request.id]);
  const { directory } = people;
  const { configured } = surfaces;
  const view = requestView(request, { grant, directory, configured, deliveries, now: runtime.now() });
  return cardOfShown(context, { request, grant, version, people, deliveries, view }, audience, reader);
}

async function cardOfShown(
  context: ServiceContext,
  { request, grant, version, view, people, deliveries, rules }: ShownRequest,
  audience: Audience,
  reader: IdentityId | null,
): Promise<Card> {
  const { surfaces } = context;
  const { directory, unknownGroups } = people;
  const nameOf = (id: IdentityId): string => directory.identity(id)?.name ?? id;
  const isOthers = request.requestedById !== request.subjectId;
  // An administrator who asked for another person sees the request and can cancel it, but the access is not theirs.
  const isOnlyAsker = audience === "requester" && reader !== null && reader !== request.subjectId;
  const decidable =
    audience === "approver" && reader !== null
      ? decidableBy(request, reader, directory, unknownGroups.length > 0)
      : undefined;
  const noLongerAskedAs =
    reader === null || unknownGroups.length > 0
      ? null
      : formerSelectorsOf(audience, request, reader, directory);
  // A former approver who has voted may still read the request.
  const actionsAfter = request.votes.some((vote) => vote.by === reader) ? (["details"] as const) : [];
  const actions = noLongerAskedAs === null ? actionsFor(audience, view, reader, decidable) : actionsAfter;
  return {
    audience,
    version,
    request: view,
    subjectName: nameOf(request.subjectId),
    subjectEmail: directory.identity(request.subjectId)?.email ?? null,
    catalogName: catalogNameOf(rules ?? (await context.rulebook()), request),
    askedByName: isOthers ? nameOf(request.requestedById) : null,
    askedAs: reader === null || audience !== "approver" ? [] : selectorsFor(request, reader, directory),
    noLongerAskedAs,
    decidedBy:
      request.decidedBy === null || request.decidedAt === null
        ? null
        : {
            name: request.decidedBy.name,
            via: request.decidedBy.via,
            at: formatInstant(request.decidedAt),
          },
    endedBy: endedByName(request, grant),
    lastDecision: await lastDecisionBefore(context, request),
    reach: reachNames(deliveries, nameOf),
    unreachedChannels: unreachedChannels(surfaces, request, deliveries),
    mentions:
      audience === "channel" && view.status === "PENDING" ? mentionsOf(request, deliveries, directory) : [],
    voterAccounts: request.votes.flatMap((vote) => accountsOf(vote.by, directory)),
    actions: isOnlyAsker ? actions.filter((one) => one === "cancel") : actions,
  };
}

/**
 * Whether this person's approval or denial would count now, through any channel the policy allows. While the members of
 * a user group are unknown (`isGuess`), a button is removed only because of what they have decided already.
 */
function decidableBy(
  request: AccessRequest,
  reader: IdentityId,
  directory: Directory,
  isGuess: boolean,
): Decidable {
  const outcomes = decidingVias.map((via) => stagesCounting(request, reader, via, directory));
  return {
    canApprove: outcomes.some((one) => !isRefusal(one) || (isGuess && one.refused === "not_an_approver")),
    canDeny: isGuess || isApproverOf(request, reader, directory),
  };
}

const decidingVias = ["slack", "teams", "api", "cli", "console"] as const satisfies readonly Via[];

function accountsOf(id: IdentityId, directory: Directory): readonly ChatAccount[] {
  const { links = {}, chatLinks = {} } = directory.identity(id) ?? {};
  return (["slack", "teams"] as const).flatMap(
    (surface) => accountIn(links, surface) ?? accountIn(chatLinks, surface) ?? [],
  );
}

function catalogNameOf({ book }: IndexedRulebook, { scopes }: AccessRequest): string | null {
  const wanted = scopeSetKey(scopes);
  const { catalog } = book.rules;
  return catalog.find((entry) => scopeSetKey(entry.scopes) === wanted)?.name ?? null;
}

/** Who ended it. Started access may have been ended by another person than the one who decided. */
function endedByName(request: AccessRequest, grant: Grant | undefined): Card["endedBy"] {
  if (grant?.endedBy !== undefined) return { name: grant.endedBy.name };
  const hasEndedBefore = request.endedAt !== null && request.decidedBy !== null;
  return hasEndedBefore ? { name: request.decidedBy.name } : null;
}

function reachNames(deliveries: readonly Delivery[], nameOf: (id: IdentityId) => string): Card["reach"] {
  const reach = reachOf(deliveries);
  if (reach === null) return null;
  const { unreached, ...counts } = reach;
  return { ...counts, unreachedNames: unreached.map(nameOf) };
}

/** The policy's selectors by which this person is asked. A voter keeps those they voted by. */
function selectorsFor(request: AccessRequest, reader: IdentityId, directory: Directory): readonly string[] {
  const own = request.votes.filter((vote) => vote.by === reader && vote.as !== undefined);
  return own.length === 0
    ? selectorsMatching(request, stagesOf(request.requirement), reader, directory)
    : [...new Set(own.flatMap((vote) => vote.as ?? []))];
}

/** The selectors by which the reader used to be an approver or reviewer; null when they still are one. */
function formerSelectorsOf(
  audience: Audience,
  request: AccessRequest,
  reader: IdentityId,
  directory: Directory,
): readonly string[] | null {
  if (audience === "approver") return formerSelectors(request, reader, directory);
  if (audience !== "reviewer") return null;
  const person = directory.identity(reader);
  return person !== undefined && isReviewerOf(request, person, directory)
    ? null
    : (request.breakGlass?.review.by ?? []).map(formatSelector);
}

/** For a person who was asked or has voted and is no approver now: the selectors by which they were one. */
function formerSelectors(
  request: AccessRequest,
  reader: IdentityId,
  directory: Directory,
): readonly string[] | null {
  const asked = request.asked.filter((one) => one.identityId === reader).map((one) => one.stage);
  const votes = request.votes.filter((vote) => vote.by === reader);
  if (asked.length + votes.length === 0 || isApproverOf(request, reader, directory)) return null;
  const given = votes.flatMap((vote) => vote.as ?? []);
  if (given.length > 0) return [...new Set(given)];
  const stages = stagesOf(request.requirement).filter((stage) => asked.includes(stage.number));
  const selectors = stages.flatMap((stage) => [...stage.approvers, ...stage.escalateTo.flat()]);
  return [...new Set(selectors.map(formatSelector))];
}

/** What was decided the last time this person requested the first of these scopes; it informs the approver. */
async function lastDecisionBefore(
  { store, runtime }: Pick<ServiceContext, "store" | "runtime">,
  request: AccessRequest,
): Promise<Card["lastDecision"]> {
  const [scope] = request.scopes;
  if (scope === undefined) return null;
  const filter = { now: runtime.now(), subjectId: request.subjectId, scope };
  const { rows } = await store.requests(filter, { limit: lookBackMax });
  const decided = rows
    .map((row) => row.request.value)
    .find((one) => one.id !== request.id && one.requestedAt <= request.requestedAt && one.decidedAt !== null);
  if (decided === undefined || decided.decidedAt === null) return null;
  const isDenied = decided.phase === "DENIED";
  return {
    status: isDenied ? "DENIED" : decided.phase === "CANCELLED" ? "CANCELLED" : "APPROVED",
    at: formatInstant(decided.decidedAt),
    reason: isDenied ? decided.endReason : null,
    byName: decided.decidedBy?.name ?? null,
  };
}
