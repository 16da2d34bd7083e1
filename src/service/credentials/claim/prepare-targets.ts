import { connectorsNeedingKey, keyMissing } from "./required-ssh-key.ts";
import { makeId, type RequestId } from "../../../core/values/ids.ts";
import { decideNotServed, decidePrepare } from "../../../core/decisions/decide-preparation.ts";
import { isRefusal, refuse, type Refusal } from "../../../core/values/refusals.ts";
import { areReady } from "../../../core/access/target.ts";
import type { Caller } from "../../ports/caller.ts";
import { loadClaim, type LoadedClaim } from "./claim-decisions.ts";
import { decideLoaded, type CaseDecision } from "../../decisions/decide-case.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";
import { storedRequestOf, type StoredRequest } from "../../decisions/stored-request.ts";
import { configurationChanged, whyNotServed } from "../../targets/served-actions.ts";
import type { Claim } from "./claim-options.ts";
import { desiredTargets } from "./desired-targets.ts";

/**
 * Decides which targets to prepare and commits that. The relay prepares them. Nothing changes when it was done before.
 */
export async function prepareTargets(
  context: ServiceContext,
  caller: Caller,
  loaded: LoadedClaim,
  claim: Claim,
): Promise<StoredRequest | undefined | Refusal> {
  const { id } = loaded.accessCase.request;
  const load = (): Promise<LoadedClaim | Refusal> => loadClaim(context, caller, id);
  return decideLoaded(context, load, preparationDecision(context, claim), { first: loaded });
}

function preparationDecision(context: ServiceContext, { sshPublicKey }: Claim): CaseDecision<LoadedClaim> {
  const { runtime, connectors } = context;
  return async ({ accessCase, facts, expectsOfFacts: expects, people }) => {
    const { request, grant } = accessCase;
    const grantId = makeId("grant", runtime.idSuffix());
    // As late as possible, so that a reload in between is noticed.
    const desired = desiredTargets(connectors, request.scopes, grantId);
    if (whyNotServed(connectors, request) !== undefined) return { decision: configurationChanged(), expects };
    const decision = decidePrepare(accessCase, { ...facts, grantId, desired }, runtime.now());
    const names = grant?.phase === "PREPARING" ? grant.targets.map(({ spec }) => spec.connector) : undefined;
    const needingKey =
      sshPublicKey === undefined
        ? connectorsNeedingKey(context, names ?? desired.map((one) => one.connector))
        : [];
    return {
      decision:
        isRefusal(decision) || needingKey.length === 0 ? decision : keyMissing(needingKey, request.id),
      expects,
      people,
    };
  };
}

/** Fails a request that the configuration no longer serves, unless a reload has brought back what was missing. */
export async function failNotServed(
  context: ServiceContext,
  caller: Caller,
  loaded: LoadedClaim,
): Promise<Refusal> {
  const { id } = loaded.accessCase.request;
  const load = (): Promise<LoadedClaim | Refusal> => loadClaim(context, caller, id);
  const decision: CaseDecision<LoadedClaim> = async ({ accessCase, facts, expectsOfFacts, people }) => {
    const why = whyNotServed(context.connectors, accessCase.request);
    const now = context.runtime.now();
    return {
      decision: why === undefined ? [] : decideNotServed(accessCase, facts, why, now),
      expects: expectsOfFacts,
      people,
    };
  };
  const outcome = await decideLoaded(context, load, decision, { first: loaded });
  if (isRefusal(outcome)) return outcome;
  if (outcome === undefined) return configurationChanged();
  return refuse("not_claimable", `This request has failed: ${outcome.request.endReason}. Ask again.`);
}

/** The request once its targets are ready or its preparation is over, or as it is after `waitMs`. */
export async function waitForTargets(
  context: ServiceContext,
  id: RequestId,
  waitMs: number,
): Promise<{ readonly isReady: boolean; readonly stored: StoredRequest | undefined }> {
  const timeout = AbortSignal.timeout(waitMs);
  for (;;) {
    // Subscribes before the state is read, so that no change is missed in between.
    const subscription = new AbortController();
    const signal = AbortSignal.any([timeout, subscription.signal]);
    const changed = context.requestChanges.next(id, waitMs, signal);
    const found = await context.store.request(id);
    const grant = found?.grant?.value;
    // A preparation that is over is refused by the claim itself, which says why.
    const isReady = grant?.phase !== "PREPARING" || areReady(grant.targets);
    if (isReady || timeout.aborted) {
      subscription.abort();
      return { isReady, stored: found && storedRequestOf(found) };
    }
    await changed;
  }
}
