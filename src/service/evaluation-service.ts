import type { Risk } from "../core/access-request.ts";
import { approversOf } from "../core/approvals.ts";
import { present } from "../core/assert.ts";
import type { Decision } from "../core/case.ts";
import { explain, type Explanation } from "../core/governing.ts";
import { makeId, parseId, type Scope } from "../core/ids.ts";
import type { Directory } from "../core/people.ts";
import type { Policy } from "../core/policy.ts";
import { isRefusal, refuse, type Refusal } from "../core/refusals.ts";
import { decideSubmission } from "../core/submitting.ts";
import { formatDuration } from "../core/time.ts";
import { parseAsk, unknownIdentity, type AskInput } from "./ask-input.ts";
import { actorOf, isSelf, lacksRole, mayReadAll, type Caller } from "./caller.ts";
import {
  approversNamed,
  asFarAsKnown,
  assess,
  loadPeople,
  type Assessed,
  type ServiceContext,
} from "./loading.ts";
import type { PolicyDraft } from "./policy-service.ts";
import { indexed } from "./rulebook-reader.ts";

/** What would happen if this were asked now, and why, condition by condition. */
export interface Evaluation {
  readonly outcome: "AUTO_APPROVED" | "NEEDS_APPROVAL" | "REFUSED";
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
  const { store, surroundings } = context;
  const ask = parseAsk(input);
  if (isRefusal(ask)) return ask;
  const found = await store.identity(ask.subjectId);
  if (found === undefined) return unknownIdentity(input.identityId);
  const subject = found.value;
  const now = surroundings.now();
  const { reason, durationMs, ticket } = ask;
  const words = { reason, durationMs, submittedAt: now, ...(ticket !== undefined && { ticket }) };
  const today = await assess(context, ask.scopes, { subject, ...words });
  const people = await loadPeople(context, [subject.id], approversNamed(today));
  const decision = decideSubmission(
    { ...ask, id: makeId("request", surroundings.idTail()), requestedById: subject.id },
    {
      subject,
      assessment: today.assessment,
      directory: people.directory,
      lockdown: today.rules.book.lockdown,
      digest: surroundings.sha256,
      by: actorOf(caller),
    },
    now,
  );
  return { ...explained(today, ask.scopes), ...foreseen(asFarAsKnown(decision, people), people.directory) };
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
  const { requirement } = draft;
  return {
    outcome: isAuto ? "AUTO_APPROVED" : "NEEDS_APPROVAL",
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
    approvalWindow: isAuto ? null : formatDuration(requirement.windowMs),
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
        "You can try this for yourself only; trying it for somebody else needs the role admin.",
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
