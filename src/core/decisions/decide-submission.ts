import type { AccessRequest, Actor, Extension } from "../access/access-request.ts";
import { unreachableStage } from "../access/reachable-quorum.ts";
import {
  selectGoverning,
  refuseInactive,
  refuseLockdown,
  refuseByTerms,
  usesOf,
} from "../access/assessment.ts";
import { onGrant, onRequest, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import { draftRequest, type RequestSpec, type SubmissionContext } from "../access/draft-request.ts";
import type { PolicyUse, Recorded, RequestEvent } from "../access/events.ts";
import type { StartedGrant } from "../access/grant.ts";
import type { Instant } from "../values/ids.ts";
import { isActive } from "../values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../values/refusals.ts";
import { requirementOf, type Terms } from "../policy/requirement.ts";
import { duplicateAmong, isStranded, endSiblings } from "../access/stranded-request.ts";
import { earliest, plus } from "../values/time.ts";

/** Submits a request by policy: refused, pending, or approved automatically. */
export function decideSubmission(spec: RequestSpec, facts: SubmissionContext, now: Instant): Decision {
  const evaluated = evaluateSubmission(spec, facts, now);
  if (isRefusal(evaluated)) return evaluated;
  const { draft, terms } = evaluated;
  const { siblings = [] } = facts;
  const duplicate = duplicateAmong(siblings);
  if (duplicate !== undefined) {
    return refuse("duplicate_request", `The same access is already asked for in ${duplicate.id}.`, {
      existing: duplicate.id,
    });
  }
  return [
    ...onRequest(draft, submissionEvents(evaluated, facts, now)),
    ...(terms.isAuto ? endSiblings(siblings, draft, now) : []),
  ];
}

/** Requests more time on a live grant. If approved automatically, the end moves in the same commit. */
export function decideExtension(
  spec: RequestSpec,
  parent: Pick<AccessCase, "request" | "extension"> & { readonly grant: StartedGrant },
  facts: SubmissionContext,
  now: Instant,
): Decision {
  const { grant, extension: open } = parent;
  const isBlocked = open !== undefined && !isStranded(open);
  const totalMs = grant.expiresAt - grant.startedAt + spec.durationMs;
  if (facts.lockdown) return refuseLockdown();
  // Also refuses one that would be approved automatically: it would move the end that the open extension was
  // evaluated with.
  if (isBlocked) {
    return refuse("duplicate_request", `More time is already asked for in ${open.id}.`, {
      existing: open.id,
    });
  }
  const evaluated = evaluateSubmission(spec, facts, now, {
    of: parent.request.id,
    grantId: grant.id,
    totalMs,
  });
  if (isRefusal(evaluated)) return evaluated;
  const approvalDeadline = earliest(evaluated.draft.approvalDeadline, grant.expiresAt);
  const draft = { ...evaluated.draft, approvalDeadline };
  const events = submissionEvents({ ...evaluated, draft }, facts, now);
  const replaced = open === undefined ? [] : replaceExtension(open, draft, facts.by, now);
  if (!evaluated.terms.isAuto) return [...onRequest(draft, events), ...replaced];
  return [
    ...replaced,
    ...onRequest(draft, [...events, { type: "ExtensionCompleted", at: now, by: facts.by }]),
    onGrant(grant, {
      type: "GrantExtended",
      at: now,
      by: facts.by,
      expiresAt: plus(grant.expiresAt, spec.durationMs),
      extension: draft.id,
    }),
  ];
}

/** Ends a stranded extension in favour of a new one, because a grant has one open extension. */
function replaceExtension(
  open: AccessRequest,
  { id }: AccessRequest,
  by: Actor,
  now: Instant,
): readonly Recorded[] {
  return onRequest(open, [
    now >= open.approvalDeadline
      ? { type: "RequestTimedOut", at: now, by: systemActor, waitedFor: "approval" }
      : { type: "RequestCancelled", at: now, by, reason: `asked again in ${id}` },
  ]);
}

interface EvaluatedSubmission {
  readonly draft: AccessRequest;
  readonly terms: Terms;
  readonly uses: readonly PolicyUse[];
}

/** Builds the pending request to store, or a refusal. */
function evaluateSubmission(
  spec: RequestSpec,
  facts: SubmissionContext,
  now: Instant,
  extension?: Extension,
): EvaluatedSubmission | Refusal {
  if (!isActive(facts.subject)) return refuseInactive(facts.subject);
  const governing = selectGoverning(facts.assessment);
  if (isRefusal(governing)) return governing;
  const terms = requirementOf(governing);
  const termsRefusal = refuseByTerms(terms, spec.ticket, extension?.totalMs ?? spec.durationMs);
  if (termsRefusal !== undefined) return termsRefusal;
  if (terms.isAuto && facts.lockdown) return refuseLockdown();
  const draft = { ...draftRequest(spec, facts, terms, now), ...(extension && { extension }) };
  const stage = unreachableStage(draft, facts.directory);
  if (stage !== undefined) {
    return refuse(
      "no_approvers",
      `Stage ${stage.number} needs ${stage.required} ${stage.required === 1 ? "approver" : "approvers"} other than you, and there are not enough. Ask an administrator.`,
    );
  }
  return { draft, terms, uses: usesOf(governing) };
}

function submissionEvents(
  evaluated: EvaluatedSubmission,
  facts: SubmissionContext,
  now: Instant,
): readonly RequestEvent[] {
  const { draft, terms, uses } = evaluated;
  const submitted: RequestEvent = { type: "RequestSubmitted", at: now, by: facts.by, request: draft };
  if (!terms.isAuto) return [submitted];
  const [first] = draft.requirement.demands;
  return [
    submitted,
    {
      type: "RequestAutoApproved",
      at: now,
      by: { type: "policy", id: first?.policyId ?? "", name: first?.policyName ?? "", via: "policy" },
      claimDeadline: plus(now, terms.requirement.claimWindowMs),
      uses,
    },
  ];
}
