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
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { stagesOf } from "../../core/policy/requirement.ts";
import { isReviewerOf } from "../../core/decisions/decide-review.ts";
import { scopeSetKey } from "../../core/values/scopes.ts";
import { formatInstant } from "../../core/values/time.ts";
import { actionsFor, type Card, type Decidable } from "../views/card.ts";
import { mayReadAll, type Caller } from "../ports/caller.ts";
import { mentionsOf, unreachedChannels } from "../messaging/channel-reach.ts";
import type { CardService } from "../messaging/card-source.ts";
import { reachOf } from "../views/delivery-status.ts";
import { idsIn, loadPeople, selectorsIn, type ServiceContext } from "../decisions/load-facts.ts";
import type { Delivery, RequestWithGrant } from "../ports/store.ts";
import { recordAnswer } from "./record-posted-answer.ts";
import { requestView } from "../views/request-view.ts";

/** How many earlier requests a look back takes in. */
const lookBackMax = 10;

/** Makes cards from state and clock, for one reader each. */
export function createCardService(context: ServiceContext): CardService {
  const { store } = context;

  const cardFor: CardService["cardFor"] = async (id, audience, reader) => {
    const requestId = parseId("request", id);
    const found = requestId === undefined ? undefined : await store.request(requestId);
    return found === undefined ? undefined : cardOfFound(context, found, audience, reader);
  };

  return {
    cardFor,
    async cardOf(caller, id) {
      const card = await cardOfOwn(context, caller, id);
      return card ?? refuse("not_found", `There is no request "${id.slice(0, 80)}".`);
    },
    async stateOf(id) {
      const requestId = parseId("request", id);
      const found = requestId === undefined ? undefined : await store.request(requestId);
      if (found === undefined) return undefined;
      const { revision, risk } = found.request.value;
      return { version: versionOf(found), revision, risk };
    },
    async recordAnswer(caller, id, posted) {
      const own = await ownPart(context, caller, id);
      if (own === undefined) return;
      await recordAnswer(context, own.found.request.value, own.audience, caller, posted);
    },
  };
}

async function cardOfOwn(
  context: ServiceContext,
  caller: Caller,
  id: string,
): Promise<Card | Refusal | undefined> {
  const own = await ownPart(context, caller, id);
  return own === undefined ? undefined : cardOfFound(context, own.found, own.audience, caller.identity.id);
}

/** The request with what this caller is to it; undefined: none of their business. */
async function ownPart(
  context: ServiceContext,
  caller: Caller,
  id: string,
): Promise<{ readonly found: RequestWithGrant; readonly audience: Audience } | undefined> {
  const requestId = parseId("request", id);
  const found = requestId === undefined ? undefined : await context.store.request(requestId);
  if (found === undefined) return undefined;
  const request = found.request.value;
  const { directory } = await loadPeople(
    context,
    [...idsIn(request), caller.identity.id],
    selectorsIn(request),
  );
  const audience = audienceOf(request, caller, directory);
  return audience === undefined ? undefined : { found, audience };
}

/** This caller's part in the request; undefined: none of their business. */
function audienceOf(request: AccessRequest, caller: Caller, directory: Directory): Audience | undefined {
  const { id } = caller.identity;
  if (request.subjectId === id || request.requestedById === id) return "requester";
  const person = directory.identity(id) ?? caller.identity;
  if (isReviewerOf(request, person, directory)) return "reviewer";
  const hasVoted = request.votes.some((vote) => vote.by === id);
  return hasVoted || isApproverOf(request, id, directory) || mayReadAll(caller) ? "approver" : undefined;
}

function versionOf({ request, grant }: RequestWithGrant): string {
  return `${request.version}.${grant?.version ?? 0}`;
}

async function cardOfFound(
  context: ServiceContext,
  found: RequestWithGrant,
  audience: Audience,
  reader: IdentityId | null,
): Promise<Card> {
  const { store, runtime, surfaces } = context;
  const { grant } = found;
  const request = found.request.value;
  const deliveries = await store.deliveries([request.id]);
  const last = await lastDecisionBefore({ store, runtime }, request);
  const { directory, unknownGroups } = await loadPeople(
    context,
    [...idsIn(request), ...(reader === null ? [] : [reader]), ...(last?.by === undefined ? [] : [last.by])],
    selectorsIn(request),
  );
  const now = runtime.now();
  const view = requestView(request, {
    grant: grant?.value,
    directory,
    configured: surfaces.configured,
    deliveries,
    now,
  });
  const nameOf = (id: IdentityId): string => directory.identity(id)?.name ?? id;
  const isOthers = request.requestedById !== request.subjectId;
  // An administrator who asked for somebody sees how it goes, and can withdraw it; the access is not theirs.
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
    version: versionOf(found),
    request: view,
    subjectName: nameOf(request.subjectId),
    subjectEmail: directory.identity(request.subjectId)?.email ?? null,
    catalogName: await catalogNameOf(context, request),
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
    endedBy: endedByName(request, grant?.value),
    lastDecision: last === undefined ? null : { ...last.decision, byName: last.byName },
    reach: reachWords(deliveries, nameOf),
    unreachedChannels: unreachedChannels(surfaces, request, deliveries),
    mentions:
      audience === "channel" && view.status === "PENDING" ? mentionsOf(request, deliveries, directory) : [],
    voterAccounts: request.votes.flatMap((vote) => accountsOf(vote.by, directory)),
    actions: isOnlyAsker ? actions.filter((one) => one === "cancel") : actions,
  };
}

/**
 * Whether this person's approval or denial would count now, by whatever way the policy lets them decide. Where members
 * of a user group could not be asked for (`isGuess`), only what they have decided already takes a button away.
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

async function catalogNameOf(
  { rulebook }: Pick<ServiceContext, "rulebook">,
  { scopes }: AccessRequest,
): Promise<string | null> {
  const wanted = scopeSetKey(scopes);
  const { catalog } = (await rulebook()).book.rules;
  return catalog.find((entry) => scopeSetKey(entry.scopes) === wanted)?.name ?? null;
}

/** Access that had started was decided by one person and may have been ended by another. */
function endedByName(request: AccessRequest, grant: Grant | undefined): Card["endedBy"] {
  if (grant?.endedBy !== undefined) return { name: grant.endedBy.name };
  const hasEndedBefore = request.endedAt !== null && request.decidedBy !== null;
  return hasEndedBefore ? { name: request.decidedBy.name } : null;
}

function reachWords(deliveries: readonly Delivery[], nameOf: (id: IdentityId) => string): Card["reach"] {
  const reach = reachOf(deliveries);
  if (reach === null) return null;
  const { unreached, ...counts } = reach;
  return { ...counts, unreachedNames: unreached.map(nameOf) };
}

/** The words of the policy by which this person is asked; who has decided keeps those they decided by. */
function selectorsFor(request: AccessRequest, reader: IdentityId, directory: Directory): readonly string[] {
  const own = request.votes.filter((vote) => vote.by === reader && vote.as !== undefined);
  return own.length === 0
    ? selectorsMatching(request, stagesOf(request.requirement), reader, directory)
    : [...new Set(own.flatMap((vote) => vote.as ?? []))];
}

/** By which selectors the reader once was what the message is for; null: they still are. */
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

/** Of who was asked or has voted and is no approver today: the selectors by which they once were. */
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

interface LastDecision {
  readonly decision: Pick<NonNullable<Card["lastDecision"]>, "status" | "at" | "reason">;
  readonly by: IdentityId | undefined;
  readonly byName: string | null;
}

/** What was decided the last time this person asked for the first of these scopes; for an approver to know. */
async function lastDecisionBefore(
  { store, runtime }: Pick<ServiceContext, "store" | "runtime">,
  request: AccessRequest,
): Promise<LastDecision | undefined> {
  const [scope] = request.scopes;
  if (scope === undefined) return undefined;
  const filter = { now: runtime.now(), subjectId: request.subjectId, scope };
  const { rows } = await store.requests(filter, { limit: lookBackMax });
  const decided = rows
    .map((row) => row.request.value)
    .find((one) => one.id !== request.id && one.requestedAt <= request.requestedAt && one.decidedAt !== null);
  if (decided === undefined || decided.decidedAt === null) return undefined;
  const isDenied = decided.phase === "DENIED";
  return {
    decision: {
      status: isDenied ? "DENIED" : decided.phase === "CANCELLED" ? "CANCELLED" : "APPROVED",
      at: formatInstant(decided.decidedAt),
      reason: isDenied ? decided.endReason : null,
    },
    by: parseId("identity", decided.decidedBy?.id ?? ""),
    byName: decided.decidedBy?.name ?? null,
  };
}
