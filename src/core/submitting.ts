import type {
  AccessRequest,
  Actor,
  BreakGlassUse,
  Extension,
  NotifyChannel,
  Risk,
} from "./access-request.ts";
import { newlyOpen, unreachableStage } from "./approvals.ts";
import { onGrant, onRequest, type Case, type Decision } from "./case.ts";
import type { PolicyUse, RequestEvent } from "./events.ts";
import type { Choice } from "./governing.ts";
import type { IdentityId, Instant, RequestId, Scope } from "./ids.ts";
import { isActive, type Directory, type Identity } from "./people.ts";
import type { BreakGlassRule, Policy } from "./policy.ts";
import { policyDefaults } from "./policy.ts";
import { isRefusal, refuse, type Refusal } from "./refusals.ts";
import { requirementOf, type Terms } from "./requirement.ts";
import { revisionOf, type Digest } from "./revision.ts";
import { earliest, formatDuration, minuteMs, plus } from "./time.ts";

/** What somebody asks for, already parsed. */
export interface Ask {
  readonly id: RequestId;
  readonly subjectId: IdentityId;
  readonly requestedById: IdentityId;
  readonly reason: string;
  readonly scopes: readonly Scope[];
  readonly durationMs: number;
  readonly ticket?: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly notifyChannels: readonly NotifyChannel[];
}

/** What is judged: risk and, scope by scope, the policy that governs. */
export interface Assessment {
  readonly risk: Risk | null;
  readonly choices: readonly { readonly scope: Scope; readonly choice: Choice }[];
}

export interface SubmissionFactsAtHand {
  readonly subject: Identity;
  readonly assessment: Assessment;
  readonly directory: Directory;
  readonly lockdown: boolean;
  readonly digest: Digest;
  readonly by: Actor;
}

/** Asks by policy: refused, pending, or approved at birth. */
export function decideSubmission(ask: Ask, facts: SubmissionFactsAtHand, now: Instant): Decision {
  const request = judged(ask, facts, now);
  return isRefusal(request) ? request : onRequest(request.draft, submission(request, facts, now));
}

/** Asks for more time on a live grant. Approved at birth, it moves the end in the same commit. */
export function decideExtension(
  ask: Ask,
  parent: Required<Pick<Case, "request" | "grant">>,
  facts: SubmissionFactsAtHand,
  now: Instant,
): Decision {
  const { grant } = parent;
  const totalMs = grant.expiresAt - grant.startedAt + ask.durationMs;
  if (facts.lockdown) return lockedDown();
  const judgement = judged(ask, facts, now, { of: parent.request.id, grantId: grant.id, totalMs });
  if (isRefusal(judgement)) return judgement;
  const approvalDeadline = earliest(judgement.draft.approvalDeadline, grant.expiresAt);
  const draft = { ...judgement.draft, approvalDeadline };
  const events = submission({ ...judgement, draft }, facts, now);
  if (!judgement.terms.isAuto) return onRequest(draft, events);
  return [
    ...onRequest(draft, [...events, { type: "ExtensionCompleted", at: now, by: facts.by }]),
    onGrant(grant, {
      type: "GrantExtended",
      at: now,
      by: facts.by,
      expiresAt: plus(grant.expiresAt, ask.durationMs),
      extension: draft.id,
    }),
  ];
}

export interface BreakGlassFacts extends SubmissionFactsAtHand {
  readonly rule: BreakGlassRule;
  /** The rule's conditions hold, certainly, for every scope. */
  readonly conditionsHold: boolean;
  /** An earlier use that stands against this one. */
  readonly debt: "overdue" | "unjustified" | undefined;
}

/** Takes access in an emergency: no approval, but allowed people only, alerts, a limit and a review. */
export function decideBreakGlass(ask: Ask, facts: BreakGlassFacts, now: Instant): Decision {
  const refusal = breakGlassRefusal(ask, facts);
  if (refusal !== undefined) return refusal;
  const { rule } = facts;
  const use: BreakGlassUse = {
    review: rule.review,
    notify: rule.notify,
    reviews: [],
    reviewDueAt: null,
    overdueAt: null,
  };
  const terms = requirementOf([]);
  const draft = { ...draftOf(ask, facts, terms, now), breakGlass: use };
  return onRequest(draft, [
    { type: "RequestSubmitted", at: now, by: facts.by, request: draft },
    {
      type: "BreakGlassUsed",
      at: now,
      by: facts.by,
      claimDeadline: plus(now, policyDefaults.claimWindowMs),
      limit: rule.limit,
    },
  ]);
}

function breakGlassRefusal(ask: Ask, facts: BreakGlassFacts): Refusal | undefined {
  const { rule, subject, directory, assessment } = facts;
  if (!isActive(subject)) return inactive(subject);
  const isAllowed = rule.allowed.some((one) =>
    directory.people(one, subject.id).some((p) => p.id === subject.id),
  );
  if (ask.requestedById !== ask.subjectId || subject.kind !== "HUMAN" || !isAllowed) {
    return refuse(
      "break_glass_not_allowed",
      "Break-glass is for the people the configuration allows, asking for themselves.",
    );
  }
  const denied = assessment.choices.find(
    (one) => one.choice.kind === "denied" && one.choice.policy !== undefined,
  );
  if (denied?.choice.kind === "denied") return deniedBy(denied.choice.policy, denied.scope);
  if (!facts.conditionsHold) {
    return refuse(
      "break_glass_not_allowed",
      "The configuration does not let this access be taken by break-glass.",
    );
  }
  if (ask.durationMs > rule.maxDurationMs) {
    return refuse(
      "duration_exceeds_policy",
      `Break-glass lasts at most ${formatDuration(rule.maxDurationMs)}; ask for less.`,
    );
  }
  if (facts.debt !== undefined) {
    return refuse(
      "break_glass_review_due",
      facts.debt === "overdue"
        ? "An earlier break-glass use of yours has not been reviewed in time; ask a reviewer to judge it first."
        : "An earlier break-glass use of yours was judged unjustified; another reviewer must judge it first.",
    );
  }
  return undefined;
}

interface Judged {
  readonly draft: AccessRequest;
  readonly terms: Terms;
  readonly uses: readonly PolicyUse[];
}

/** The request as it would be stored, still pending, or the reason why it may not be. */
function judged(
  ask: Ask,
  facts: SubmissionFactsAtHand,
  now: Instant,
  extension?: Extension,
): Judged | Refusal {
  if (!isActive(facts.subject)) return inactive(facts.subject);
  const chosen = governing(facts.assessment);
  if (isRefusal(chosen)) return chosen;
  const terms = requirementOf(chosen);
  const unfit = unfitFor(terms, ask.ticket, extension?.totalMs ?? ask.durationMs);
  if (unfit !== undefined) return unfit;
  if (terms.isAuto && facts.lockdown) return lockedDown();
  const draft = { ...draftOf(ask, facts, terms, now), ...(extension && { extension }) };
  const stage = unreachableStage(draft, facts.directory);
  if (stage !== undefined) {
    return refuse(
      "no_approvers",
      `Stage ${stage.number} needs ${stage.required} approvers besides you, and there are fewer; tell an administrator.`,
    );
  }
  return { draft, terms, uses: usesOf(chosen) };
}

/** The policy that governs each scope, or why none may. A denial wins over a spent policy: it would stay denied. */
export function governing(
  assessment: Assessment,
): readonly { readonly scope: Scope; readonly policy: Policy }[] | Refusal {
  const chosen: { readonly scope: Scope; readonly policy: Policy }[] = [];
  let spent: Refusal | undefined;
  for (const { scope, choice } of assessment.choices) {
    if (choice.kind === "denied") return deniedBy(choice.policy, scope);
    if (choice.kind === "spent") {
      spent ??= refuse(
        "limit_reached",
        `The policy "${choice.policy.name}" for ${scope} has been used as often as it allows.`,
        {
          retryAfterSeconds: (choice.policy.usagePeriodMs ?? 60 * minuteMs) / 1000,
        },
      );
    } else {
      chosen.push({ scope, policy: choice.policy });
    }
  }
  return spent ?? chosen;
}

/** What the terms ask of the request itself. Asked again at the press that would complete it. */
export function unfitFor(terms: Terms, ticket: string | undefined, durationMs: number): Refusal | undefined {
  if (terms.requireTicket && (ticket ?? "").trim() === "") {
    return refuse("ticket_required", "The policy for this access wants a ticket; add one.");
  }
  if (durationMs > terms.maxDurationMs) {
    return refuse(
      "duration_exceeds_policy",
      `The policy for this access allows at most ${formatDuration(terms.maxDurationMs)} in all; ask for less.`,
    );
  }
  return undefined;
}

export function usesOf(chosen: readonly { readonly policy: Policy }[]): readonly PolicyUse[] {
  return [...new Set(chosen.map((one) => one.policy))].flatMap(({ id, maxUsage, usagePeriodMs }) =>
    maxUsage === undefined
      ? []
      : [{ policyId: id, max: maxUsage, ...(usagePeriodMs !== undefined && { periodMs: usagePeriodMs }) }],
  );
}

function draftOf(ask: Ask, facts: SubmissionFactsAtHand, terms: Terms, now: Instant): AccessRequest {
  const { id, kind, groups, email } = facts.subject;
  const draft: AccessRequest = {
    ...ask,
    requestedAt: now,
    subjectThen: { id, kind, groups, ...(email !== undefined && { email }) },
    risk: facts.assessment.risk,
    requirement: terms.requirement,
    revision: "",
    openings: [],
    asked: [],
    votes: [],
    phase: "PENDING",
    approvalDeadline: plus(now, terms.requirement.windowMs),
    claimDeadline: null,
    grantedDurationMs: null,
    decidedAt: null,
    decidedBy: null,
    grantId: null,
    endedAt: null,
    endReason: null,
  };
  const { opened, asked } = newlyOpen(draft, facts.directory);
  const openings = opened.map((stage) => ({ stage, at: now, reminded: 0, level: 0 }));
  return { ...draft, openings, asked, revision: revisionOf(draft, facts.digest) };
}

function submission(judgement: Judged, facts: SubmissionFactsAtHand, now: Instant): readonly RequestEvent[] {
  const { draft, terms, uses } = judgement;
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

export function inactive(identity: Identity): Refusal {
  return refuse("identity_inactive", `${identity.name} is not active; an administrator can change that.`);
}

export function lockedDown(): Refusal {
  return refuse("policy_denied", "A lockdown is on: no access is given except by break-glass.");
}

export function deniedBy(policy: Policy | undefined, scope: Scope): Refusal {
  return refuse(
    "policy_denied",
    policy === undefined
      ? `No policy allows ${scope}; ask an administrator for one.`
      : `The policy "${policy.name}" denies ${scope}.`,
  );
}
