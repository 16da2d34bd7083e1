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
  type ServiceContext,
} from "../decisions/load-facts.ts";
import type { LoadedPeople } from "../decisions/loaded-people.ts";
import type { IndexedRulebook } from "../decisions/rulebook-reader.ts";
import { refuseUnservedActions, servedAmong } from "../targets/served-actions.ts";
import type { Versioned } from "../ports/store.ts";
import type { Freshness } from "../ports/user-groups.ts";

/** What a new request leads to, and everything that was read to decide it. */
export interface Submission {
  readonly decision: Decision;
  readonly subject: Versioned<Identity>;
  readonly current: Assessed;
  readonly people: LoadedPeople;
  readonly now: Instant;
}

interface AskOptions {
  readonly rules: IndexedRulebook;
  readonly breakGlass: boolean;
  /** `verify`: for a decision that is stored. */
  readonly freshness: Freshness;
  /** Where the caller has read it already. */
  readonly subject?: Versioned<Identity>;
  /** The subject's other open requests for the same scopes; a dry run has none. */
  readonly siblings?: readonly AccessRequest[];
}

/**
 * Decides about a new request as of this moment and stores nothing. Refused: `identity_unknown` for an unknown subject,
 * `invalid_scope` where a connector serves the resource without the action.
 */
export async function decideAsk(
  context: ServiceContext,
  caller: Caller,
  asked: RequestSpec,
  options: AskOptions,
): Promise<Submission | Refusal> {
  const { store, runtime, connectors } = context;
  const unserved = refuseUnservedActions(connectors, asked.scopes);
  if (unserved !== undefined) return unserved;
  const spec: RequestSpec = { ...asked, servedScopes: servedAmong(connectors, asked.scopes) };
  const subject = options.subject ?? (await store.identity(spec.subjectId));
  if (subject === undefined) return unknownIdentity(spec.subjectId);
  const now = runtime.now();
  const { reason, durationMs, ticket } = spec;
  const current = await assess(context, options.rules, spec.scopes, {
    subject: subject.value,
    reason,
    durationMs,
    submittedAt: now,
    ...(ticket !== undefined && { ticket }),
  });
  const { rules, lockdown } = options.rules.book;
  const people = await loadPeople(
    context,
    [spec.subjectId, caller.identity.id],
    // Break-glass may name very many people, and an ordinary request needs none of them.
    [
      ...approversNamed(current),
      ...(options.breakGlass ? [...rules.breakGlass.allowed, ...rules.breakGlass.review.by] : []),
    ],
    { freshness: options.freshness, rules: options.rules },
  );
  const facts = {
    subject: subject.value,
    assessment: current.assessment,
    directory: people.directory,
    lockdown,
    digest: runtime.sha256,
    by: actorOf(caller),
    ...(options.siblings !== undefined && { siblings: options.siblings }),
  };
  const decision = options.breakGlass
    ? await decideEmergency(context, spec, facts, current, now)
    : decideSubmission(spec, facts, now);
  return { decision: refuseIfUnverified(decision, people), subject, current, people, now };
}

async function decideEmergency(
  { store, slices }: ServiceContext,
  spec: RequestSpec,
  facts: SubmissionContext,
  current: Assessed,
  now: Instant,
): Promise<Decision> {
  const rule = current.rules.book.rules.breakGlass;
  let conditionsHold = true;
  for (const scope of spec.scopes) {
    const evaluation = evaluateInParts(rule.conditions, scope, current.facts, current.assessment.risk);
    conditionsHold &&= (await slices.run(evaluation)).truth === "true";
  }
  const more = {
    rule,
    conditionsHold,
    debt: reviewDebtOf(await store.breakGlassUses(spec.subjectId), now),
  };
  return decideBreakGlass(spec, { ...facts, ...more }, now);
}
