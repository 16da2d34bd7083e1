import type { AccessRequest } from "../../core/access/access-request.ts";
import { debtOf, decideBreakGlass } from "../../core/decisions/decide-break-glass.ts";
import type { Decision } from "../../core/access/access-case.ts";
import type { Ask, SubmissionFactsAtHand } from "../../core/access/draft-request.ts";
import type { Instant } from "../../core/values/ids.ts";
import { judgeInParts } from "../../core/policy/evaluate-conditions.ts";
import type { Identity } from "../../core/values/identity.ts";
import type { Refusal } from "../../core/values/refusals.ts";
import { decideSubmission } from "../../core/decisions/decide-submission.ts";
import { unknownIdentity } from "../ports/request-input.ts";
import { actorOf, type Caller } from "../ports/caller.ts";
import {
  approversNamed,
  asFarAsKnown,
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
  readonly today: Assessed;
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
  asked: Ask,
  how: How,
): Promise<Submission | Refusal> {
  const { store, surroundings, connectors } = context;
  const unserved = refuseUnservedActions(connectors, asked.scopes);
  if (unserved !== undefined) return unserved;
  const ask: Ask = { ...asked, servedScopes: servedAmong(connectors, asked.scopes) };
  const subject = await store.identity(ask.subjectId);
  if (subject === undefined) return unknownIdentity(ask.subjectId);
  const now = surroundings.now();
  const { reason, durationMs, ticket } = ask;
  const today = await assess(context, ask.scopes, {
    subject: subject.value,
    reason,
    durationMs,
    submittedAt: now,
    ...(ticket !== undefined && { ticket }),
  });
  const { rules, lockdown } = today.rules.book;
  const people = await loadPeople(
    context,
    [ask.subjectId, caller.identity.id],
    // Whom break-glass names may be very many, and in an ordinary ask nobody looks for them.
    [
      ...approversNamed(today),
      ...(how.breakGlass ? [...rules.breakGlass.allowed, ...rules.breakGlass.review.by] : []),
    ],
    how.freshness,
  );
  const facts = {
    subject: subject.value,
    assessment: today.assessment,
    directory: people.directory,
    lockdown,
    digest: surroundings.sha256,
    by: actorOf(caller),
    ...(how.siblings !== undefined && { siblings: how.siblings }),
  };
  const decision = how.breakGlass
    ? await breakingGlass(context, ask, facts, today, now)
    : decideSubmission(ask, facts, now);
  return { decision: asFarAsKnown(decision, people), subject, today, people, now };
}

async function breakingGlass(
  { store, slices }: ServiceContext,
  ask: Ask,
  facts: SubmissionFactsAtHand,
  today: Assessed,
  now: Instant,
): Promise<Decision> {
  const rule = today.rules.book.rules.breakGlass;
  let conditionsHold = true;
  for (const scope of ask.scopes) {
    const judging = judgeInParts(rule.conditions, scope, today.facts, today.assessment.risk);
    conditionsHold &&= (await slices.run(judging)).truth === "true";
  }
  const more = {
    rule,
    conditionsHold,
    debt: debtOf(await store.breakGlassUses(ask.subjectId), now),
  };
  return decideBreakGlass(ask, { ...facts, ...more }, now);
}
