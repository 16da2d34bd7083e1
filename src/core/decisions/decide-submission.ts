import type { AccessRequest, Actor, Extension } from "../access/access-request.ts";
import { unreachableStage } from "../access/reachable-quorum.ts";
import { governing, inactive, lockedDown, unfitFor, usesOf } from "../access/assessment.ts";
import { onGrant, onRequest, systemActor, type AccessCase, type Decision } from "../access/access-case.ts";
import { draftOf, type RequestSpec, type SubmissionFactsAtHand } from "../access/draft-request.ts";
import type { PolicyUse, Recorded, RequestEvent } from "../access/events.ts";
import type { StartedGrant } from "../access/grant.ts";
import type { Instant } from "../values/ids.ts";
import { isActive } from "../values/identity.ts";
import { isRefusal, refuse, type Refusal } from "../values/refusals.ts";
import { requirementOf, type Terms } from "../policy/requirement.ts";
import { duplicateAmong, isStranded, siblingsEnded } from "../access/stranded-request.ts";
import { earliest, plus } from "../values/time.ts";

/** Asks by policy: refused, pending, or approved at birth. */
export function decideSubmission(spec: RequestSpec, facts: SubmissionFactsAtHand, now: Instant): Decision {
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
    ...onRequest(draft, submission(evaluated, facts, now)),
    ...(terms.isAuto ? siblingsEnded(siblings, draft, now) : []),
  ];
}

/** Asks for more time on a live grant. Approved at birth, it moves the end in the same commit. */
export function decideExtension(
  spec: RequestSpec,
  parent: Pick<AccessCase, "request" | "extension"> & { readonly grant: StartedGrant },
  facts: SubmissionFactsAtHand,
  now: Instant,
): Decision {
  const { grant, extension: open } = parent;
  const isBlocked = open !== undefined && !isStranded(open);
  const totalMs = grant.expiresAt - grant.startedAt + spec.durationMs;
  if (facts.lockdown) return lockedDown();
  // Also of one that would be approved by itself: it would move the end that the open one was judged by.
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
  const events = submission({ ...evaluated, draft }, facts, now);
  const replaced = open === undefined ? [] : replacedBy(open, draft, facts.by, now);
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

/** A grant has one open extension: a stranded one makes way for the next that is asked. */
function replacedBy(
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

/** The request as it would be stored, still pending, or the reason why it may not be. */
function evaluateSubmission(
  spec: RequestSpec,
  facts: SubmissionFactsAtHand,
  now: Instant,
  extension?: Extension,
): EvaluatedSubmission | Refusal {
  if (!isActive(facts.subject)) return inactive(facts.subject);
  const chosen = governing(facts.assessment);
  if (isRefusal(chosen)) return chosen;
  const terms = requirementOf(chosen);
  const unfit = unfitFor(terms, spec.ticket, extension?.totalMs ?? spec.durationMs);
  if (unfit !== undefined) return unfit;
  if (terms.isAuto && facts.lockdown) return lockedDown();
  const draft = { ...draftOf(spec, facts, terms, now), ...(extension && { extension }) };
  const stage = unreachableStage(draft, facts.directory);
  if (stage !== undefined) {
    return refuse(
      "no_approvers",
      `Stage ${stage.number} needs ${stage.required} ${stage.required === 1 ? "approver" : "approvers"} besides you, and there are fewer; tell an administrator.`,
    );
  }
  return { draft, terms, uses: usesOf(chosen) };
}

function submission(
  evaluated: EvaluatedSubmission,
  facts: SubmissionFactsAtHand,
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
