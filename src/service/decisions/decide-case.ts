import type { AccessRequest, Actor } from "../../core/access/access-request.ts";
import type { AccessCase, Decision } from "../../core/access/access-case.ts";
import { parseId, type IdentityId } from "../../core/values/ids.ts";
import { peopleBehind } from "../../core/values/identity-origins.ts";
import type { Directory, Identity, Selector } from "../../core/values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { actorOf, type Caller } from "../ports/caller.ts";
import {
  expectPeople,
  idsIn,
  loadCase,
  loadPeople,
  selectorsIn,
  type LoadedPeople,
  type ServiceContext,
} from "./load-facts.ts";
import { withFrozenApprovals } from "./freeze-decided-approvals.ts";
import type { AnswerWriter } from "./idempotency.ts";
import type { Expectation, Step } from "../ports/store.ts";
import { decideAndCommit } from "./decide-and-commit.ts";
import type { Freshness } from "../ports/user-groups.ts";
import { buildStep, type BuiltStep, type LoadedCase } from "./build-step.ts";

/** Decides about a case as it stands; asked again, on a freshly read case, whenever somebody else came first. */
export type CaseDecision = (
  loaded: LoadedCase,
) => Promise<{ readonly decision: Decision; readonly expects: readonly Expectation[] }>;

/** The one shell around every decision on an existing request: find, decide, commit; undefined when nothing is due. */
export async function decideCase(
  context: ServiceContext,
  id: string,
  decision: CaseDecision,
  writeAnswer?: AnswerWriter,
): Promise<BuiltStep | undefined | Refusal> {
  const { store, runtime } = context;
  let isIdle = false;
  const built = await decideAndCommit<BuiltStep | undefined>(store, async () => {
    const loaded = await findCase(context, id);
    if (isRefusal(loaded)) return loaded;
    const made = await decision(loaded);
    if (isRefusal(made.decision)) return made.decision;
    isIdle = made.decision.length === 0;
    if (isIdle) return refuse("not_active", "Nothing is due.");
    const { limits } = (await context.rulebook()).book.rules;
    const happened = await withFrozenApprovals(context, undecidedRequests(loaded.accessCase), made.decision);
    const result = buildStep(loaded, happened, {
      now: runtime.now(),
      runtime,
      limits,
      expects: made.expects,
    });
    return { step: await withAnswer(result, writeAnswer), result };
  });
  return isIdle && isRefusal(built) ? undefined : built;
}

/** Every request of the case that a decision about it may also decide. */
export function undecidedRequests({
  request,
  extension,
  siblings = [],
}: AccessCase): readonly AccessRequest[] {
  return [request, ...(extension === undefined ? [] : [extension]), ...siblings];
}

/** The step with the answer to keep, if the call is to be answered the same way again. */
export async function withAnswer(built: BuiltStep, writeAnswer: AnswerWriter | undefined): Promise<Step> {
  return writeAnswer === undefined
    ? built.step
    : { ...built.step, idempotencyRecord: await writeAnswer(built) };
}

/** The request of a decision that always has one. */
export function requestOf(outcome: BuiltStep | undefined | Refusal): AccessRequest | Refusal {
  if (outcome === undefined) return refuse("not_active", "Nothing is due.");
  return isRefusal(outcome) ? outcome : outcome.request;
}

export interface DecisionContext {
  readonly facts: {
    readonly person: Identity;
    readonly by: Actor;
    readonly behind: readonly IdentityId[];
    readonly directory: Directory;
  };
  readonly people: LoadedPeople;
  readonly expects: readonly Expectation[];
}

export interface DecisionContextQuery {
  readonly also?: readonly Selector[];
  /** `show` where the requester decides and no group is asked. */
  readonly freshness?: Freshness;
}

/** Who presses and everyone this request is about, read now: authority is asked at the moment of the decision. */
export async function loadDecisionContext(
  context: ServiceContext,
  caller: Caller,
  request: AccessRequest,
  { also = [], freshness = "verify" }: DecisionContextQuery = {},
): Promise<DecisionContext> {
  const people = await loadPeople(
    context,
    [...idsIn(request), caller.identity.id],
    [...selectorsIn(request), ...also],
    freshness,
  );
  const person = people.directory.identity(caller.identity.id) ?? caller.identity;
  return {
    facts: {
      person,
      by: actorOf(caller),
      behind: peopleBehind(person, caller.via, caller.keyMadeBy ?? []),
      directory: people.directory,
    },
    people,
    expects: expectPeople(people, [caller.identity.id]),
  };
}

/** The case of this id as the caller wrote it; what is no id at all is simply not there. */
export async function findCase(context: ServiceContext, id: string): Promise<LoadedCase | Refusal> {
  const requestId = parseId("request", id);
  const loaded = requestId === undefined ? undefined : await loadCase(context.store, requestId);
  return loaded ?? refuse("not_found", `There is no request "${id.slice(0, 80)}".`);
}
