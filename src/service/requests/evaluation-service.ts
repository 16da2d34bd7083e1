import type { Risk } from "../../core/policy/requirement-model.ts";
import { approversOf } from "../../core/access/approvals.ts";
import { assertPresent } from "../../core/values/assert.ts";
import type { Decision } from "../../core/access/access-case.ts";
import { costlyPatterns, refuseCostly } from "../../core/policy/costly-patterns.ts";
import { dryRunCost, dryRunCostMax } from "../../core/policy/dry-run-cost.ts";
import { explainInParts, inPrecedence, type Explanation } from "../../core/policy/governing-policy.ts";
import { makeId, parseId, type Scope } from "../../core/values/ids.ts";
import type { Directory, Identity } from "../../core/values/identity.ts";
import type { Policy } from "../../core/policy/policy.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import { formatDuration } from "../../core/values/time.ts";
import { parseRequest, type RequestInput } from "../ports/request-input.ts";
import { isSelf, lacksRole, mayReadAll, type Caller } from "../ports/caller.ts";
import { createConcurrencyLimit } from "./concurrency-limit.ts";
import { breakGlassKey } from "../decisions/counters.ts";
import type { Assessed, ServiceContext } from "../decisions/load-facts.ts";
import { idOfNamed } from "../people/find-identity.ts";
import type { PolicyDraft } from "../policies/policy-service.ts";
import { indexed, type IndexedRulebook } from "../decisions/rulebook-reader.ts";
import type { Versioned } from "../ports/store.ts";
import { breakGlassExhausted } from "../decisions/decide-and-commit.ts";
import { decideAsk, type Submission } from "./decide-ask.ts";

/** How many dry runs of one key may run at the same time. */
const dryRunsPerKeyMax = 2;

/** Compiling takes up to about 15 microseconds per unit, and blocks every other call meanwhile. */
const draftPatternSizesMax = 25_000;

/** What would happen if this were requested now, and why, condition by condition. */
export interface Evaluation {
  readonly outcome: "AUTO_APPROVED" | "NEEDS_APPROVAL" | "BREAK_GLASS" | "REFUSED";
  readonly refusal: Refusal | null;
  readonly risk: Risk | null;
  /** Scope by scope: every policy, how it counts and why. */
  readonly scopes: readonly Explanation[];
  readonly stages: readonly StageAsked[];
  readonly approvalWindow: string | null;
  readonly claimWindow: string | null;
}

export interface StageAsked {
  readonly stage: number;
  readonly policyId: string;
  readonly required: number;
  readonly approvers: readonly {
    readonly identityId: string;
    readonly name: string;
    readonly email: string | null;
  }[];
}

/** What several evaluations in one call share. */
export interface KnownFacts {
  readonly rules: IndexedRulebook;
  readonly subject?: Versioned<Identity>;
}

/** The same without the reasons, which cost most of it. */
export type Foreseen = Omit<Evaluation, "scopes">;

export interface EvaluationService {
  /**
   * Stores nothing. With `drafts`, for administrators and auditors, evaluates those instead of the policies in force.
   * Refused when it would cost too much, or when this key has too many dry runs in progress.
   */
  evaluate(
    caller: Caller,
    input: RequestInput,
    drafts?: readonly PolicyDraft[],
  ): Promise<Evaluation | Refusal>;
  /** Whether this caller may evaluate drafts with patterns of this total size; called before they are compiled. */
  mayDraft(caller: Caller, patternSizes: number): Refusal | undefined;
  /** The outcome alone. `known`: where the caller evaluates several. */
  foresee(caller: Caller, input: RequestInput, known?: KnownFacts): Promise<Foreseen | Refusal>;
}

export function createEvaluationService(context: ServiceContext): EvaluationService {
  const running = createConcurrencyLimit(dryRunsPerKeyMax);
  const named = async (input: RequestInput): Promise<RequestInput> => ({
    ...input,
    identityId: await idOfNamed(context.store, input.identityId),
  });
  return {
    async evaluate(caller, asked, drafts) {
      const input = await named(asked);
      const refusal =
        (drafts === undefined ? undefined : mayEvaluateDrafts(caller, drafts)) ??
        mayEvaluate(caller, input.identityId);
      if (refusal !== undefined) return refusal;
      return running(caller, async () => {
        const inForce = await context.rulebook();
        const rules =
          drafts === undefined ? inForce : indexed({ ...inForce.book, policies: drafts.map(drafted) });
        return evaluate(context, rules, caller, input);
      });
    },
    mayDraft,
    foresee: async (caller, asked, known) => {
      const input = await named(asked);
      const refusal = mayEvaluate(caller, input.identityId);
      if (refusal !== undefined) return refusal;
      const submission = await tryOut(context, known ?? { rules: await context.rulebook() }, caller, input);
      return isRefusal(submission) ? submission : submission.foreseen;
    },
  };
}

async function evaluate(
  context: ServiceContext,
  rules: IndexedRulebook,
  caller: Caller,
  input: RequestInput,
): Promise<Evaluation | Refusal> {
  const costly = tooCostly(rules, input);
  if (costly !== undefined) return costly;
  const tried = await tryOut(context, { rules }, caller, input);
  if (isRefusal(tried)) return tried;
  return { ...tried.foreseen, scopes: await explained(context, tried.current, tried.scopes) };
}

interface TriedOut {
  readonly foreseen: Foreseen;
  readonly current: Assessed;
  readonly scopes: readonly Scope[];
}

async function tryOut(
  context: ServiceContext,
  known: KnownFacts,
  caller: Caller,
  input: RequestInput,
): Promise<TriedOut | Refusal> {
  const parsed = parseRequest(input);
  if (isRefusal(parsed)) return parsed;
  const { breakGlass, ...words } = parsed;
  const id = makeId("request", context.runtime.idSuffix());
  const spec = { ...words, id, requestedById: words.subjectId };
  const submission = await decideAsk(context, caller, spec, { ...known, breakGlass, freshness: "cached" });
  if (isRefusal(submission)) return submission;
  const { decision, current, people } = submission;
  const exhausted =
    breakGlass && !isRefusal(decision) ? await exhaustedBreakGlass(context, submission) : undefined;
  const outcome = foreseen(exhausted ?? decision, people.directory);
  return { foreseen: { risk: current.assessment.risk, ...outcome }, current, scopes: spec.scopes };
}

/** The cost of explaining follows from the policies, the scopes and the reason alone. */
function tooCostly({ book }: IndexedRulebook, { scopes, reason }: RequestInput): Refusal | undefined {
  const cost = dryRunCost(book.policies, scopes.length, reason.length);
  if (cost <= dryRunCostMax) return undefined;
  return refuse(
    "too_costly",
    "Explaining this would take too long: try fewer scopes at a time, a shorter reason, or fewer policies.",
  );
}

/** The commit of a request counts its break-glass use. A dry run has no commit, so it reads the counter. */
async function exhaustedBreakGlass(
  { store }: ServiceContext,
  { subject, current, now }: Submission,
): Promise<Refusal | undefined> {
  const { limit } = current.rules.book.rules.breakGlass;
  const used = await store.used(breakGlassKey(subject.value.id), now, limit.perMs);
  return used >= limit.max ? breakGlassExhausted() : undefined;
}

async function explained(
  { slices }: ServiceContext,
  current: Assessed,
  scopes: readonly Scope[],
): Promise<readonly Explanation[]> {
  const { policies, rules } = current.rules.book;
  const { risk } = current.assessment;
  const ordered = inPrecedence(policies);
  const explanations: Explanation[] = [];
  for (const scope of scopes) {
    const work = explainInParts(
      ordered,
      rules.defaultPolicy,
      scope,
      current.facts,
      risk,
      current.isExhausted,
    );
    explanations.push(await slices.run(work));
  }
  return explanations;
}

/** What the submission would lead to. */
function foreseen(decision: Decision, directory: Directory): Omit<Evaluation, "risk" | "scopes"> {
  const nothing = { stages: [], approvalWindow: null, claimWindow: null };
  if (isRefusal(decision)) return { outcome: "REFUSED", refusal: decision, ...nothing };
  const submitted = decision.flatMap(({ event }) =>
    event.type === "RequestSubmitted" ? [event.request] : [],
  );
  const draft = assertPresent(submitted[0], "a submission that is not refused submits");
  const isAuto = decision.some(({ event }) => event.type === "RequestAutoApproved");
  const isTaken = draft.breakGlass !== undefined;
  const { requirement } = draft;
  return {
    outcome: isTaken ? "BREAK_GLASS" : isAuto ? "AUTO_APPROVED" : "NEEDS_APPROVAL",
    refusal: null,
    stages: requirement.demands.flatMap((demand) =>
      demand.stages.map((stage) => ({
        stage: stage.number,
        policyId: demand.policyId,
        required: stage.required,
        approvers: approversOf(draft, stage, directory).map(({ id, name, email }) => ({
          identityId: id,
          name,
          email: email ?? null,
        })),
      })),
    ),
    approvalWindow: isAuto || isTaken ? null : formatDuration(requirement.windowMs),
    claimWindow: formatDuration(requirement.claimWindowMs),
  };
}

/** Administrators and auditors may evaluate for anybody, others for themselves. */
function mayEvaluate(caller: Caller, identityId: string): Refusal | undefined {
  const missing = lacksRole(caller, "requester", "admin", "auditor");
  if (missing !== undefined || mayReadAll(caller)) return missing;
  const own = parseId("identity", identityId);
  return own !== undefined && isSelf(caller, own)
    ? undefined
    : refuse(
        "not_self",
        "You can try this for yourself only; trying it for somebody else needs the role admin or auditor.",
      );
}

/** A draft can reveal what a requester does not see: groups, risk rules, earlier requests. */
function mayDraft(caller: Caller, patternSizes: number): Refusal | undefined {
  const missing = lacksRole(caller, "admin", "auditor");
  if (missing !== undefined || patternSizes <= draftPatternSizesMax) return missing;
  return refuse("too_costly", "The patterns of these policies are too large together; try fewer at a time.");
}

function mayEvaluateDrafts(caller: Caller, drafts: readonly PolicyDraft[]): Refusal | undefined {
  const found = drafts.flatMap(({ conditions }, index) =>
    costlyPatterns(conditions, ["policies", String(index), "conditions"]),
  );
  return mayDraft(caller, 0) ?? refuseCostly(found);
}

function drafted(draft: PolicyDraft, index: number): Policy {
  return { ...draft, id: makeId("policy", `draft_${index + 1}`), version: 0, managedBy: "api" };
}
