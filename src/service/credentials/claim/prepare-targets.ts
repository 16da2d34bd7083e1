import { keylessAt, keyMissing } from "./required-ssh-key.ts";
import { makeId, type RequestId } from "../../../core/values/ids.ts";
import { decideNotServed, decidePrepare } from "../../../core/decisions/decide-preparation.ts";
import { isRefusal, refuse, type Refusal } from "../../../core/values/refusals.ts";
import { areReady } from "../../../core/access/target.ts";
import type { Caller } from "../../ports/caller.ts";
import { claimFacts } from "./claim-decisions.ts";
import { decideCase, findCase, type CaseDecision } from "../../decisions/decide-case.ts";
import type { Claim } from "./issue-credential.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";
import { configurationChanged, whyNotServed } from "../../targets/served-actions.ts";
import { desiredTargets } from "./desired-targets.ts";

/** How long a claim waits for its targets before it is answered with 202 (contract §3). */
export const claimWaitMs = 2_000;

/** How far the targets of a claim have come. */
export type Prepared =
  /** None of the scopes has a target. */
  | "not_needed"
  | "ready"
  /** Not in time; the claim is made again. */
  | "waiting";

/**
 * Has the targets of a request made ready: the orders are committed, the relay does them, and this waits a little. A
 * request that has none costs nothing.
 */
export async function prepare(
  context: ServiceContext,
  caller: Caller,
  id: string,
  claim: Claim,
): Promise<Prepared | Refusal> {
  const loaded = await findCase(context, id);
  if (isRefusal(loaded)) return loaded;
  const { request, grant } = loaded.accessCase;
  if (whyNotServed(context.connectors, request) !== undefined) return failNotServed(context, caller, id);
  const isBegun = grant?.phase === "PREPARING";
  const hasTargets = desiredTargets(context.connectors, request.scopes, makeId("grant", "none")).length > 0;
  if (!isBegun && !hasTargets) return "not_needed";
  const outcome = await decideCase(context, id, preparationDecision(context, caller, claim));
  return isRefusal(outcome) ? outcome : wait(context, request.id, claim.waitMs ?? claimWaitMs);
}

/** Asked again on the case as it stands: a reload may have brought back what was missing. */
async function failNotServed(context: ServiceContext, caller: Caller, id: string): Promise<Refusal> {
  const outcome = await decideCase(context, id, async ({ accessCase }) => {
    const { facts, expects } = await claimFacts(context, caller, accessCase);
    const why = whyNotServed(context.connectors, accessCase.request);
    const now = context.runtime.now();
    return { decision: why === undefined ? [] : decideNotServed(accessCase, facts, why, now), expects };
  });
  if (isRefusal(outcome)) return outcome;
  if (outcome === undefined) return configurationChanged();
  return refuse("not_claimable", `This request has failed: ${outcome.request.endReason}. Ask again.`);
}

function preparationDecision(context: ServiceContext, caller: Caller, { sshPublicKey }: Claim): CaseDecision {
  const { runtime, connectors } = context;
  return async ({ accessCase }) => {
    const { request, grant } = accessCase;
    const { facts: known, expects } = await claimFacts(context, caller, accessCase);
    const grantId = makeId("grant", runtime.idSuffix());
    // As late as can be, so that a reload in between is noticed.
    const desired = desiredTargets(connectors, request.scopes, grantId);
    if (whyNotServed(connectors, request) !== undefined) return { decision: configurationChanged(), expects };
    const decision = decidePrepare(accessCase, { ...known, grantId, desired }, runtime.now());
    const names = grant?.phase === "PREPARING" ? grant.targets.map(({ spec }) => spec.connector) : undefined;
    const keyless =
      sshPublicKey === undefined ? keylessAt(context, names ?? desired.map((one) => one.connector)) : [];
    return {
      decision: isRefusal(decision) || keyless.length === 0 ? decision : keyMissing(keyless, request.id),
      expects,
    };
  };
}

async function wait(context: ServiceContext, id: RequestId, waitMs: number): Promise<Prepared> {
  const timeout = AbortSignal.timeout(waitMs);
  for (;;) {
    // Listening begins before the state is read, so that no change falls between the two.
    const listening = new AbortController();
    const signal = AbortSignal.any([timeout, listening.signal]);
    const changed = context.requestChanges.next(id, waitMs, signal);
    const grant = (await context.store.request(id))?.grant?.value;
    // What is over by now is refused by the claim itself, which says why.
    const isOver = grant?.phase !== "PREPARING";
    if (isOver || areReady(grant.targets) || timeout.aborted) {
      listening.abort();
      return isOver || areReady(grant.targets) ? "ready" : "waiting";
    }
    await changed;
  }
}
