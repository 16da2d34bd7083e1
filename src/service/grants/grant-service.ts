import { refuseUnservedActions } from "../targets/served-actions.ts";
import { refuseInactive } from "../../core/access/assessment.ts";
import { isActive } from "../../core/values/identity.ts";
import { isReviewerOf } from "../../core/decisions/decide-review.ts";
import { systemActor } from "../../core/access/access-case.ts";
import {
  decideComplete,
  decideEndAll,
  decideRevoke,
  isRevoker,
  requireLiveGrant,
} from "../../core/decisions/decide-end.ts";
import { makeId, type IdentityId } from "../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { RequestSpec } from "../../core/access/draft-request.ts";
import { decideExtension } from "../../core/decisions/decide-submission.ts";
import { decideTick } from "../../core/decisions/decide-tick.ts";
import { assertPresent } from "../../core/values/assert.ts";
import { actorOf, lacksRole, type Caller } from "../ports/caller.ts";
import {
  decideCase,
  limitsOf,
  stepWithAnswer,
  storedOrRefusal,
  undecidedRequests,
  type CaseDecision,
} from "../decisions/decide-case.ts";
import { loadDecisionContext } from "../decisions/decision-context.ts";
import { findCase } from "../decisions/load-case.ts";
import { withFrozenApprovals } from "../decisions/freeze-decided-approvals.ts";
import {
  approversNamed,
  refuseIfUnverified,
  assess,
  loadPeople,
  type ServiceContext,
} from "../decisions/load-facts.ts";
import { idsIn, selectorsIn } from "../decisions/loaded-people.ts";
import type { StoredRequest } from "../decisions/stored-request.ts";
import { keepAnswer } from "../decisions/idempotency.ts";
import { StoreUnavailable } from "../ports/store.ts";
import { decideAndCommit } from "../decisions/decide-and-commit.ts";
import { expectUnchanged, buildStep } from "../decisions/build-step.ts";

/** What happens to granted access: it is completed, revoked or extended, or the clock ends it. */
export interface GrantService {
  complete(caller: Caller, id: string, note: string | null): Promise<StoredRequest | Refusal>;
  revoke(caller: Caller, id: string, reason: string): Promise<StoredRequest | Refusal>;
  /** The child request: pending, or completed when a policy auto-approves it. */
  extend(
    caller: Caller,
    id: string,
    more: { readonly durationMs: number; readonly reason: string },
  ): Promise<StoredRequest | Refusal>;
  /** Records what the clock has done to this request; true when there was anything to record. */
  tick(id: string): Promise<boolean>;
  /** Records everything that the clock has ended for this person, so that no duplicate guard or limit counts it. */
  settle(subjectId: IdentityId): Promise<void>;
  /** Cancels this person's open requests and ends their access. */
  endAccessOf(subjectId: IdentityId, reason: string): Promise<void>;
}

export function createGrantService(context: ServiceContext): GrantService {
  const { store, runtime } = context;

  const tick = async (id: string): Promise<boolean> => {
    const outcome = await decideCase(context, id, async ({ accessCase, rules }) => {
      const { request } = accessCase;
      const people = await loadPeople(context, idsIn(request), selectorsIn(request), { rules });
      return { decision: decideTick(accessCase, people.directory, runtime.now()), expects: [], people };
    });
    return outcome !== undefined && !isRefusal(outcome);
  };

  const settle = async (subjectId: IdentityId): Promise<void> => {
    for (const id of await store.overdueRequestsOf(subjectId, runtime.now())) await tick(id);
  };

  return {
    tick,
    settle,
    async complete(caller, id, note) {
      return (
        lacksRole(caller, "requester") ??
        storedOrRefusal(
          await decideCase(
            context,
            id,
            async ({ accessCase }) => ({
              decision: decideComplete(accessCase, caller.identity.id, note, actorOf(caller), runtime.now()),
              expects: [],
            }),
            keepAnswer(context, caller.idempotentCall, 200),
          ),
        )
      );
    },
    async revoke(caller, id, reason) {
      return (
        lacksRole(caller, "admin", "approver") ??
        storedOrRefusal(
          await decideCase(
            context,
            id,
            revocationDecision(context, caller, reason),
            keepAnswer(context, caller.idempotentCall, 200),
          ),
        )
      );
    },
    async extend(caller, id, more) {
      const missing = lacksRole(caller, "requester");
      if (missing !== undefined) return missing;
      await settle(caller.identity.id);
      return extend(context, caller, id, more);
    },
    async endAccessOf(subjectId, reason) {
      for (const id of await store.openRequestsOf(subjectId)) {
        const outcome = await decideCase(context, id, async ({ accessCase }) => ({
          decision: decideEndAll(accessCase, reason, systemActor, runtime.now()),
          expects: [],
        }));
        // Access that was over already is fine. A failure to end it is thrown, so that it is retried.
        if (isRefusal(outcome) && outcome.refused === "store_unavailable") {
          throw new StoreUnavailable(outcome.detail);
        }
      }
    },
  };
}

function revocationDecision(context: ServiceContext, caller: Caller, reason: string): CaseDecision {
  return async (loaded) => {
    const { accessCase } = loaded;
    const { facts, expects, people } = await loadDecisionContext(context, caller, loaded);
    const { person, directory, by } = facts;
    if (!isActive(person)) return { decision: refuseInactive(person), expects };
    const isEntitled =
      caller.roles.includes("admin") ||
      (person.kind === "HUMAN" &&
        (isRevoker(accessCase, person.id, directory) || isReviewerOf(accessCase.request, person, directory)));
    if (!isEntitled) {
      const detail = "Only an administrator, an approver of it or its break-glass reviewer can revoke this.";
      return { decision: refuseIfUnverified(refuse("not_an_approver", detail), people), expects };
    }
    return { decision: decideRevoke(accessCase, reason, by, context.runtime.now()), expects, people };
  };
}

async function extend(
  context: ServiceContext,
  caller: Caller,
  id: string,
  { durationMs, reason }: { readonly durationMs: number; readonly reason: string },
): Promise<StoredRequest | Refusal> {
  const { store, runtime } = context;
  return decideAndCommit(store, async () => {
    const loaded = await findCase(context, id);
    if (isRefusal(loaded)) return loaded;
    const { accessCase, rules } = loaded;
    const { request } = accessCase;
    const now = runtime.now();
    if (request.subjectId !== caller.identity.id) {
      return refuse("not_requester", "Only the requester can extend their access.");
    }
    const grant = requireLiveGrant(accessCase, now);
    if (isRefusal(grant)) return grant;
    if (grant.breakGlass) return refuse("break_glass_not_allowed", "Break-glass access cannot be extended.");
    const unserved = refuseUnservedActions(context.connectors, request.scopes);
    if (unserved !== undefined) return unserved;
    const { ticket } = request;
    const found = assertPresent(await store.identity(request.subjectId), request.subjectId);
    const subject = found.value;
    const current = await assess(context, rules, request.scopes, {
      subject,
      reason,
      durationMs: grant.expiresAt - grant.startedAt + durationMs,
      submittedAt: now,
      ...(ticket !== undefined && { ticket }),
    });
    const people = await loadPeople(context, [subject.id], approversNamed(current), {
      freshness: "verify",
      rules,
    });
    const spec: RequestSpec = {
      id: makeId("request", runtime.idSuffix()),
      subjectId: request.subjectId,
      requestedById: caller.identity.id,
      reason,
      scopes: request.scopes,
      durationMs,
      metadata: {},
      notifyChannels: request.notifyChannels,
      ...(ticket !== undefined && { ticket }),
    };
    const facts = {
      subject,
      assessment: current.assessment,
      directory: people.directory,
      lockdown: rules.book.lockdown,
      digest: runtime.sha256,
      by: actorOf(caller),
    };
    const decision = refuseIfUnverified(decideExtension(spec, { ...accessCase, grant }, facts, now), people);
    if (isRefusal(decision)) return decision;
    const requests = undecidedRequests(accessCase);
    const happened = await withFrozenApprovals(context, requests, decision, people);
    const built = buildStep(loaded, happened, {
      now,
      runtime,
      limits: limitsOf(rules),
      expects: [...current.expects, expectUnchanged("identity", found)],
    });
    const writeAnswer = keepAnswer(context, caller.idempotentCall, 201);
    return stepWithAnswer(built, { people, rules }, writeAnswer);
  });
}
