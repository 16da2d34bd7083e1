import type { AccessCase, Decision } from "../../core/access/access-case.ts";
import type { AccessRequest } from "../../core/access/access-request.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { Expectation, Step } from "../ports/store.ts";
import { buildStep, type BuiltStep } from "./build-step.ts";
import { decideAndCommit } from "./decide-and-commit.ts";
import { withFrozenApprovals } from "./freeze-decided-approvals.ts";
import type { AnswerWriter } from "./idempotency.ts";
import { findCase, type LoadedCase } from "./load-case.ts";
import type { ServiceContext } from "./load-facts.ts";
import type { LoadedPeople } from "./loaded-people.ts";
import type { IndexedRulebook } from "./rulebook-reader.ts";
import { versionAfter, type StoredRequest } from "./stored-request.ts";

/** What was decided about a case, and what the decision was made from besides the case. */
export interface CaseOutcome {
  readonly decision: Decision;
  readonly expects: readonly Expectation[];
  /** Where the decision needed them: whatever follows uses the same people. */
  readonly people?: LoadedPeople;
}

/** Decides about a case as it is. Called again on a freshly read case when another commit came first. */
export type CaseDecision<Loaded extends LoadedCase = LoadedCase> = (loaded: Loaded) => Promise<CaseOutcome>;

/** Finds, decides and commits; undefined when nothing is due. Every decision on an existing request runs here. */
export async function decideCase(
  context: ServiceContext,
  id: string,
  decision: CaseDecision,
  writeAnswer?: AnswerWriter,
): Promise<StoredRequest | undefined | Refusal> {
  const load = (): Promise<LoadedCase | Refusal> => findCase(context, id);
  return decideLoaded(context, load, decision, { ...(writeAnswer !== undefined && { writeAnswer }) });
}

export interface DecideOptions<Loaded extends LoadedCase> {
  /** What the first attempt decides on, where the caller has read it already. */
  readonly first?: Loaded;
  readonly writeAnswer?: AnswerWriter;
}

/** The same for a case that is read together with facts of its own. */
export async function decideLoaded<Loaded extends LoadedCase>(
  context: ServiceContext,
  load: () => Promise<Loaded | Refusal>,
  decision: CaseDecision<Loaded>,
  { first, writeAnswer }: DecideOptions<Loaded>,
): Promise<StoredRequest | undefined | Refusal> {
  const { store, runtime } = context;
  let next = first;
  let isIdle = false;
  const stored = await decideAndCommit<StoredRequest | undefined>(store, async () => {
    const loaded = next ?? (await load());
    next = undefined;
    if (isRefusal(loaded)) return loaded;
    const { decision: decided, expects, people } = await decision(loaded);
    if (isRefusal(decided)) return decided;
    isIdle = decided.length === 0;
    if (isIdle) return refuse("not_active", "Nothing is due.");
    const requests = undecidedRequests(loaded.accessCase);
    const happened = await withFrozenApprovals(context, requests, decided, people);
    const { rules } = loaded;
    const built = buildStep(loaded, happened, {
      now: runtime.now(),
      runtime,
      limits: limitsOf(rules),
      expects,
    });
    return stepWithAnswer(built, { people, rules }, writeAnswer);
  });
  return isIdle && isRefusal(stored) ? undefined : stored;
}

export function limitsOf({ book }: IndexedRulebook) {
  return book.rules.limits;
}

/** Every request of the case that a decision about it may also decide. */
export function undecidedRequests({
  request,
  extension,
  siblings = [],
}: AccessCase): readonly AccessRequest[] {
  return [request, ...(extension === undefined ? [] : [extension]), ...siblings];
}

/** The step, with the answer to keep where the call must be answered the same way again; and what it stores. */
export async function stepWithAnswer(
  { step, request, created, grant }: BuiltStep,
  { people, rules }: { readonly people: LoadedPeople | undefined; readonly rules: IndexedRulebook },
  writeAnswer: AnswerWriter | undefined,
): Promise<{ readonly step: Step; readonly result: StoredRequest }> {
  const shownRequest = created ?? request;
  const stored: StoredRequest = {
    request: shownRequest,
    grant,
    version: versionAfter(shownRequest, step.expects, step.writes),
    rules,
    ...(people !== undefined && { people }),
  };
  if (writeAnswer === undefined) return { step, result: stored };
  const { idempotencyRecord, shown } = await writeAnswer(stored);
  return {
    step: { ...step, idempotencyRecord },
    result: { ...stored, ...(shown !== undefined && { shown }) },
  };
}

/** The request of a case as it was read. */
export function storedCase(
  { accessCase, expects, rules }: LoadedCase,
  people: LoadedPeople,
): StoredRequest & { readonly people: LoadedPeople } {
  const { request, grant } = accessCase;
  return { request, grant, version: versionAfter(request, expects, []), people, rules };
}

/** The outcome of a decision that always changes something. */
export function storedOrRefusal(outcome: StoredRequest | undefined | Refusal): StoredRequest | Refusal {
  return outcome ?? refuse("not_active", "Nothing is due.");
}
