import type { Risk } from "../core/access-request.ts";
import { approversOf } from "../core/approvals.ts";
import { present } from "../core/assert.ts";
import type { Decision } from "../core/case.ts";
import { explain, type Explanation } from "../core/governing.ts";
import { makeId, parseId, type Scope } from "../core/ids.ts";
import type { Directory } from "../core/people.ts";
import type { Policy } from "../core/policy.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusals.ts";
import { formatDuration } from "../core/time.ts";
import { parseAsk, type AskInput } from "./ask-input.ts";
import { isSelf, lacksRole, mayReadAll, type Caller } from "./caller.ts";
import { breakGlassKey } from "./counters.ts";
import type { Assessed, ServiceContext } from "./loading.ts";
import type { PolicyDraft } from "./policy-service.ts";
import { indexed } from "./rulebook-reader.ts";
import { breakGlassSpent } from "./step.ts";
import { decideAsk, type Submission } from "./submission.ts";

/** What would happen if this were asked now, and why, condition by condition. */
export interface Evaluation {
  readonly outcome: "AUTO_APPROVED" | "NEEDS_APPROVAL" | "BREAK_GLASS" | "REFUSED";
  readonly refusal: Refusal | null;
  readonly risk: Risk | null;
  /** Scope by scope: every policy, how it stands and why. */
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

export interface EvaluationService {
  /** Stores nothing. With `drafts`, judges by those instead of the policies in force. */
  evaluate(caller: Caller, input: AskInput, drafts?: readonly PolicyDraft[]): Promise<Evaluation | Refusal>;
}

export function createEvaluationService(context: ServiceContext): EvaluationService {
  return {
    evaluate: async (caller, input, drafts) =>
      mayEvaluate(caller, input.identityId) ??
      evaluate(drafts === undefined ? context : withDrafts(context, drafts.map(drafted)), caller, input),
  };
}

async function evaluate(
  context: ServiceContext,
  caller: Caller,
  input: AskInput,
): Promise<Evaluation | Refusal> {
  const parsed = parseAsk(input);
  if (isRefusal(parsed)) return parsed;
  const { breakGlass, ...words } = parsed;
  const id = makeId("request", context.surroundings.idTail());
  const ask = { ...words, id, requestedById: words.subjectId };
  const submission = await decideAsk(context, caller, ask, { breakGlass, freshness: "show" });
  if (isRefusal(submission)) return submission;
  const { decision, today, people } = submission;
  const spent = breakGlass && !isRefusal(decision) ? await spentBreakGlass(context, submission) : undefined;
  return { ...explained(today, ask.scopes), ...foreseen(spent ?? decision, people.directory) };
}

/** The commit of an ask counts its break-glass uses; a dry run has none, so it looks. */
async function spentBreakGlass(
  { store }: ServiceContext,
  { subject, today, now }: Submission,
): Promise<Refusal | undefined> {
  const { limit } = today.rules.book.rules.breakGlass;
  const used = await store.used(breakGlassKey(subject.value.id), now, limit.perMs);
  return used >= limit.max ? breakGlassSpent() : undefined;
}

function explained(today: Assessed, scopes: readonly Scope[]): Pick<Evaluation, "risk" | "scopes"> {
  const { policies, rules } = today.rules.book;
  const { risk } = today.assessment;
  return {
    risk,
    scopes: scopes.map((scope) =>
      explain(policies, rules.defaultPolicy, scope, today.facts, risk, today.isSpent),
    ),
  };
}

/** What the submission would lead to. */
function foreseen(decision: Decision, directory: Directory): Omit<Evaluation, "risk" | "scopes"> {
  const nothing = { stages: [], approvalWindow: null, claimWindow: null };
  if (isRefusal(decision)) return { outcome: "REFUSED", refusal: decision, ...nothing };
  const submitted = decision.flatMap(({ event }) =>
    event.type === "RequestSubmitted" ? [event.request] : [],
  );
  const draft = present(submitted[0], "a submission that is not refused submits");
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

/** Administrators and auditors for anybody, others for themselves. */
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

function drafted(draft: PolicyDraft, index: number): Policy {
  return { ...draft, id: makeId("policy", `draft_${index + 1}`), version: 0, managedBy: "api" };
}

function withDrafts(context: ServiceContext, policies: readonly Policy[]): ServiceContext {
  return {
    ...context,
    rulebook: async () => {
      const { book } = await context.rulebook();
      return indexed({ ...book, policies });
    },
  };
}
