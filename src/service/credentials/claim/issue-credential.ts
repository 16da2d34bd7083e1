import { connectorsNeedingKey, keyMissing } from "./required-ssh-key.ts";
import { assertPresent } from "../../../core/values/assert.ts";
import { hasStarted, type Grant, type StartedGrant } from "../../../core/access/grant.ts";
import { isRefusal, refuse, type Refusal } from "../../../core/values/refusals.ts";
import { plus } from "../../../core/values/time.ts";
import type { Caller } from "../../ports/caller.ts";
import {
  claimDecision,
  loadClaim,
  loadRotation,
  rotationDecision,
  type LoadedClaim,
  type LoadedRotation,
} from "./claim-decisions.ts";
import type { Claim, Issued, StillPreparing } from "./claim-options.ts";
import { credentialView, mintToken, shownCredential, type MintedToken } from "./mint-token.ts";
import { decideLoaded, storedCase, type CaseDecision } from "../../decisions/decide-case.ts";
import type { LoadedCase } from "../../decisions/load-case.ts";
import type { IssueAtTargets } from "./issue-target-secrets.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";
import { keepAnswer } from "../../decisions/idempotency.ts";
import type { TargetService } from "../../targets/target-service.ts";
import type { CredentialTarget } from "../../views/request-view.ts";

/*
 * The secrets of targets are made before the commit, so that whatever ends the grant meanwhile is decided on a state in
 * which they exist. Only what was committed is shown. The commit depends on the case as it was loaded before the
 * secrets were made: when it has changed meanwhile, it is loaded and decided again.
 */

export interface IssueDeps {
  readonly context: ServiceContext;
  readonly targetService: TargetService;
  readonly atTargets: IssueAtTargets;
}

/** Starts access that has no targets. */
export async function issueToken(
  { context }: IssueDeps,
  caller: Caller,
  first: LoadedClaim,
  { answerStatus }: Claim,
): Promise<Issued | Refusal> {
  const minted = mintToken(context.runtime);
  const load = (): Promise<LoadedClaim | Refusal> => loadClaim(context, caller, first.accessCase.request.id);
  const decision = claimDecision(context, minted.record);
  return commitIssue(context, caller, { load, first, decision, minted, targets: [] }, answerStatus);
}

/** Starts access whose targets are ready. */
export async function issuePrepared(
  { context, targetService, atTargets }: IssueDeps,
  caller: Caller,
  first: LoadedClaim,
  { sshPublicKey, answerStatus }: Claim,
): Promise<Issued | StillPreparing | Refusal> {
  const { request, grant: prepared } = first.accessCase;
  const minted = mintToken(context.runtime);
  const startedAt = context.runtime.now();
  const decision = claimDecision(context, minted.record, startedAt);
  const refusal = await refusalBeforeSecrets(context, first, decision);
  if (refusal !== undefined) return refusal;
  const grant = assertPresent(prepared, "a prepared grant");
  const needingKey = sshPublicKey === undefined ? connectorsNeedingKey(context, connectorsOf(grant)) : [];
  if (needingKey.length > 0) return keyMissing(needingKey, request.id);
  const expiresAt = plus(startedAt, assertPresent(request.grantedDurationMs, "a granted duration"));
  const { targets, faults } = await atTargets(grant, expiresAt, sshPublicKey);
  const final = faults.find((one) => one.isFinal);
  if (final !== undefined) return targetService.fail(grant, final.missing.connector, final.why);
  const unfit = faults.find((one) => one.isInputBad);
  if (unfit !== undefined) return keyNotAccepted(unfit.missing.connector);
  if (faults.length > 0) return { stored: storedCase(first, first.people), isPreparing: true };
  const load = (): Promise<LoadedClaim | Refusal> => loadClaim(context, caller, request.id);
  return commitIssue(context, caller, { load, first, decision, minted, targets }, answerStatus);
}

/** How often a rotation starts again because an extension came in between. */
const rotationsMax = 3;

/** Replaces the token and the secrets of its targets. */
export async function rotate(
  deps: IssueDeps,
  caller: Caller,
  id: string,
  claim: Pick<Claim, "sshPublicKey" | "isKeyRequired">,
): Promise<Issued | Refusal> {
  for (let tries = 0; tries < rotationsMax; tries++) {
    const rotated = await rotateOnce(deps, caller, id, claim);
    if (rotated !== "stale") return rotated;
  }
  return refuse("store_unavailable", "The access is being extended at this moment; try again.", {
    retryAfterSeconds: 1,
  });
}

/** `stale`: an extension came in between. */
async function rotateOnce(
  { context, atTargets }: IssueDeps,
  caller: Caller,
  id: string,
  { sshPublicKey, isKeyRequired }: Pick<Claim, "sshPublicKey" | "isKeyRequired">,
): Promise<Issued | "stale" | Refusal> {
  const load = (): Promise<LoadedRotation | Refusal> => loadRotation(context, caller, id);
  const first = await load();
  if (isRefusal(first)) return first;
  const minted = mintToken(context.runtime);
  const rotation = rotationDecision(context, minted.record);
  const refusal = await refusalBeforeSecrets(context, first, rotation);
  if (refusal !== undefined) return refusal;
  const grant = startedOf(first.accessCase.grant);
  const needingKey = sshPublicKey === undefined ? connectorsNeedingKey(context, connectorsOf(grant)) : [];
  if (isKeyRequired === true && needingKey.length > 0) return keyMissing(needingKey, id);
  const issued = await atTargets(grant, grant.expiresAt, sshPublicKey);
  // The token is replaced in any case: the holder may have lost it to somebody.
  const targets = [...issued.targets, ...issued.faults.map((one) => one.missing)];
  let isStale = false;
  const decision: CaseDecision<LoadedRotation> = async (loaded) => {
    const current = loaded.accessCase.grant;
    // Extended meanwhile: the targets were told an end that is no longer the end.
    isStale = grant.targets.length > 0 && hasStarted(current) && current.expiresAt !== grant.expiresAt;
    return isStale
      ? { decision: refuse("not_active", "The access was extended meanwhile."), expects: [] }
      : rotation(loaded);
  };
  const made = await commitIssue(context, caller, { load, first, decision, minted, targets });
  return isStale ? "stale" : made;
}

interface Issue<Loaded extends LoadedCase> {
  readonly load: () => Promise<Loaded | Refusal>;
  readonly first: Loaded;
  readonly decision: CaseDecision<Loaded>;
  readonly minted: MintedToken;
  readonly targets: readonly CredentialTarget[];
}

/** Commits the record of a token, and shows the token only if that succeeds. */
async function commitIssue<Loaded extends LoadedCase>(
  context: ServiceContext,
  caller: Caller,
  { load, first, decision, minted, targets }: Issue<Loaded>,
  answerStatus = 200,
): Promise<Issued | Refusal> {
  const writeAnswer = keepAnswer(context, caller.idempotentCall, answerStatus, (grant) =>
    shownCredential(startedOf(grant), targets),
  );
  const options = { first, ...(writeAnswer !== undefined && { writeAnswer }) };
  const outcome = await decideLoaded(context, load, decision, options);
  if (isRefusal(outcome)) return outcome;
  const stored = assertPresent(outcome, "a claim or rotation has an outcome");
  return { stored, credential: credentialView(startedOf(stored.grant), minted.token, targets) };
}

/** Making secrets at targets ends the old ones, so whatever would be refused is refused before. */
async function refusalBeforeSecrets<Loaded extends LoadedCase>(
  context: ServiceContext,
  loaded: Loaded,
  decision: CaseDecision<Loaded>,
): Promise<Refusal | undefined> {
  const made = (await decision(loaded)).decision;
  return isRefusal(made) ? made : context.accessHold();
}

/** The request stays approved, and can be claimed with another key. */
function keyNotAccepted(connector: string): Refusal {
  const message = `is not taken by ${connector}`;
  return refuse("invalid_body", `${connector} does not take this public key; claim with another one.`, {
    errors: [{ path: "sshPublicKey", message }],
  });
}

function connectorsOf({ targets }: Grant): readonly string[] {
  return targets.map(({ spec }) => spec.connector);
}

function startedOf(grant: Grant | undefined): StartedGrant {
  return assertPresent(hasStarted(grant) ? grant : undefined, "access that has started");
}
