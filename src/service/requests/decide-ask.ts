import type { AccessRequest } from "../../core/access/access-request.ts";
import { reviewDebtOf, decideBreakGlass } from "../../core/decisions/decide-break-glass.ts";
import type { Decision } from "../../core/access/access-case.ts";
import type { RequestSpec, SubmissionContext } from "../../core/access/draft-request.ts";
import type { Instant } from "../../core/values/ids.ts";
import { evaluateInParts } from "../../core/policy/evaluate-conditions.ts";
import type { Identity } from "../../core/values/identity.ts";
import type { Refusal } from "../../core/values/refusals.ts";
import { decideSubmission } from "../../core/decisions/decide-submission.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { actorOf, type Caller } from "../ports/caller.ts";
import {
  approversNamed,
  refuseIfUnverified,
  assess,
  loadPeople,
  type Assessed,
  type LoadedPeople,
  type ServiceContext,
} from "../decisions/load-facts.ts";
import { refuseUnservedActions, servedAmong } from "../targets/served-actions.ts";
import type { Versioned } from "../ports/store.ts";
import type { Freshness } from "../ports/user-groups.ts";

/** What asking leads to, and everything that was read to decide it. */
export interface Submission {
  readonly decision: Decision;
  readonly subject: Versioned<Identity>;
  readonly current: Assessed;
  readonly people: LoadedPeople;
  readonly now: Instant;
}

interface How {
  readonly breakGlass: boolean;
  /** `press`: for a decision that is stored. */
  readonly freshness: Freshness;
  /** The subject's other open requests for the same scopes; a dry run has none. */
  readonly siblings?: readonly AccessRequest[];
}

/**
 * Decides an ask as of this moment and stores nothing; `identity_unknown` where its subject is nobody, `invalid_scope`
 * where a connector serves the resource without the action.
 */
export async function decideAsk(
  context: ServiceContext,
  caller: Caller,
  asked: RequestSpec,
  how: How,
): Promise<Submission | Refusal> {
  const { store, runtime, connectors } = context;
  const unserved = refuseUnservedActions(connectors, asked.scopes);
  if (unserved !== undefined) return unserved;
  const spec: RequestSpec = { ...asked, servedScopes: servedAmong(connectors, asked.scopes) };
  const subject = await store.identity(spec.subjectId);
  if (subject === undefined) return unknownIdentity(spec.subjectId);
  const now = runtime.now();
  const { reason, durationMs, ticket } = spec;
  const current = await assess(context, spec.scopes, {
    subject: subject.value,
    reason,
    durationMs,
    submittedAt: now,
    ...(ticket !== undefined && { ticket }),
  });
  const { rules, lockdown } = current.rules.book;
  const people = await loadPeople(
    context,
    [spec.subjectId, caller.identity.id],
    // Whom break-glass names may be very many, and in an ordinary ask nobody looks for them.
    [
      ...approversNamed(current),
      ...(how.breakGlass ? [...rules.breakGlass.allowed, ...rules.breakGlass.review.by] : []),
    ],
    how.freshness,
  );
  const facts = {
    subject: subject.value,
    assessment: current.assessment,
    directory: people.directory,
    lockdown,
    digest: runtime.sha256,
    by: actorOf(caller),
    ...(how.siblings !== undefined && { siblings: how.siblings }),
  };
  const decision = how.breakGlass
    ? await breakingGlass(context, spec, facts, current, now)
    : decideSubmission(spec, facts, now);
  return { decision: refuseIfUnverified(decision, people), subject, current, people, now };
}

async function breakingGlass(
  { store, slices }: ServiceContext,
  spec: RequestSpec,
  facts: SubmissionContext,
  current: Assessed,
  now: Instant,
): Promise<Decision> {
  const rule = current.rules.book.rules.breakGlass;
  let conditionsHold = true;
  for (const scope of spec.scopes) {
    const judging = evaluateInParts(rule.conditions, scope, current.facts, current.assessment.risk);
    conditionsHold &&= (await slices.run(judging)).truth === "true";
  }
  const more = {
    rule,
    conditionsHold,
    debt: reviewDebtOf(await store.breakGlassUses(spec.subjectId), now),
  };
  return decideBreakGlass(spec, { ...facts, ...more }, now);
}
