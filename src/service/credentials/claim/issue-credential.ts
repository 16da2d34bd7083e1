import { keylessAt, keyMissing } from "./required-ssh-key.ts";
import type { AccessRequest } from "../../../core/access/access-request.ts";
import { assertPresent } from "../../../core/values/assert.ts";
import type { AccessCase } from "../../../core/access/access-case.ts";
import { formatToken } from "../../../core/values/token-format.ts";
import {
  hasStarted,
  type CredentialRecord,
  type Grant,
  type StartedGrant,
} from "../../../core/access/grant.ts";
import { makeId, type Instant } from "../../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../../core/values/refusals.ts";
import { formatInstant, plus } from "../../../core/values/time.ts";
import type { Caller } from "../../ports/caller.ts";
import { claimDecision, rotationDecision, placeholderCredential } from "./claim-decisions.ts";
import { decideCase, findCase, type CaseDecision } from "../../decisions/decide-case.ts";
import { createIssuingAtTargets, type IssueAtTargets } from "./issue-target-secrets.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";
import { keepAnswer, type ShownCredential } from "../../decisions/idempotency.ts";
import type { Runtime } from "../../ports/runtime.ts";
import type { TargetService } from "../../targets/target-service.ts";
import { createKeyedMutex } from "../../async/keyed-mutex.ts";
import type { CredentialTarget, CredentialView } from "../../views/request-view.ts";

export interface Issued {
  readonly request: AccessRequest;
  readonly credential: CredentialView;
}

/** What comes with a claim. */
export interface Claim {
  /** Checked; for targets that are reached by SSH. */
  readonly sshPublicKey?: string;
  /** See `ClaimInput`; for rotations. */
  readonly isKeyRequired?: true;
  /** What a call with an Idempotency-Key is kept with; absent: 200. */
  readonly answerStatus?: number;
  /** How long targets may take; absent: as long as a claim waits. */
  readonly waitMs?: number;
}

/**
 * Mints tokens and secrets. The secrets of targets come first and the commit after them, so that whatever ends the
 * grant in between is decided on a state in which they exist; and nothing is shown but what was committed.
 */
export interface Issuing {
  /** Starts access that has no targets. */
  claim(caller: Caller, id: string, claim: Claim): Promise<Issued | Refusal>;
  /** Starts access whose targets are ready; `waiting` when one of them could not be asked just now. */
  claimPrepared(caller: Caller, id: string, claim: Claim): Promise<Issued | "waiting" | Refusal>;
  rotate(
    caller: Caller,
    id: string,
    claim: Pick<Claim, "sshPublicKey" | "isKeyRequired">,
  ): Promise<Issued | Refusal>;
}

/** How often a rotation begins anew because an extension came in between. */
const rotationsMax = 3;

export function createIssuing(
  context: ServiceContext,
  targetService: TargetService,
  onFault: (fault: unknown) => void,
): Issuing {
  const deps = {
    context,
    targetService,
    atTargets: createIssuingAtTargets(context, targetService, onFault),
  };
  /** Of two presses at once the second must not kill the secrets that the first is being shown. */
  const mutex = createKeyedMutex();
  const withLock = async <T>(id: string, act: () => Promise<T>): Promise<T> => {
    const release = await mutex.acquire(id);
    try {
      return await act();
    } finally {
      release();
    }
  };
  return {
    claim: (caller, id, { answerStatus }) =>
      issue(context, caller, id, (record) => claimDecision(context, caller, record), [], answerStatus),
    claimPrepared: (caller, id, claim) => withLock(id, () => claimPrepared(deps, caller, id, claim)),
    rotate: async (caller, id, claim) =>
      withLock(id, async () => {
        for (let tries = 0; tries < rotationsMax; tries++) {
          const rotated = await rotateOnce(deps, caller, id, claim);
          if (rotated !== "stale") return rotated;
        }
        return refuse("store_unavailable", "The access is being extended at this moment; try again.", {
          retryAfterSeconds: 1,
        });
      }),
  };
}

interface IssueDeps {
  readonly context: ServiceContext;
  readonly targetService: TargetService;
  readonly atTargets: IssueAtTargets;
}

/** Mints a token, decides with its record, and shows it only if that was committed. */
async function issue(
  context: ServiceContext,
  caller: Caller,
  id: string,
  decision: (record: CredentialRecord) => CaseDecision,
  targets: readonly CredentialTarget[],
  answerStatus = 200,
): Promise<Issued | Refusal> {
  const { runtime } = context;
  const token = formatToken("jit", runtime.tokenSecret());
  const record = recordOf(token, runtime, runtime.now());
  const writeAnswer = keepAnswer(context, caller.idempotentCall, answerStatus, (grant) =>
    shownCredential(grant, targets),
  );
  const outcome = await decideCase(context, id, decision(record), writeAnswer);
  if (isRefusal(outcome)) return outcome;
  const { request, grant } = assertPresent(outcome, "a claim or rotation has an outcome");
  return { request, credential: credentialView(started(grant), token, targets) };
}

/** The case, if `decision` would not refuse it at this moment. */
async function allowed(
  context: ServiceContext,
  id: string,
  decision: CaseDecision,
): Promise<AccessCase | Refusal> {
  const loaded = await findCase(context, id);
  if (isRefusal(loaded)) return loaded;
  const made = (await decision(loaded)).decision;
  if (isRefusal(made)) return made;
  // Secrets of targets are made before the commit that would be refused, and the old ones die with them.
  return context.accessHold() ?? loaded.accessCase;
}

async function claimPrepared(
  { context, targetService, atTargets }: IssueDeps,
  caller: Caller,
  id: string,
  { sshPublicKey, answerStatus }: Claim,
): Promise<Issued | "waiting" | Refusal> {
  const startedAt = context.runtime.now();
  const accessCase = await allowed(
    context,
    id,
    claimDecision(context, caller, placeholderCredential, startedAt),
  );
  if (isRefusal(accessCase)) return accessCase;
  const { grantedDurationMs } = accessCase.request;
  const expiresAt = plus(startedAt, assertPresent(grantedDurationMs, "a granted duration"));
  const grant = assertPresent(accessCase.grant, "a prepared grant");
  const { targets, faults } = await atTargets(grant, expiresAt, sshPublicKey);
  const final = faults.find((one) => one.isFinal);
  if (final !== undefined) return targetService.fail(grant, final.missing.connector, final.why);
  const unfit = faults.find((one) => one.isInputBad);
  if (unfit !== undefined) return keyNotTaken(unfit.missing.connector);
  if (faults.length > 0) return "waiting";
  const decision = (record: CredentialRecord) => claimDecision(context, caller, record, startedAt);
  return issue(context, caller, id, decision, targets, answerStatus);
}

/** The request stands, and can be claimed with another key. */
function keyNotTaken(connector: string): Refusal {
  const message = `is not taken by ${connector}`;
  return refuse("invalid_body", `${connector} does not take this public key; claim with another one.`, {
    errors: [{ path: "sshPublicKey", message }],
  });
}

async function rotateOnce(
  { context, atTargets }: IssueDeps,
  caller: Caller,
  id: string,
  { sshPublicKey, isKeyRequired }: Pick<Claim, "sshPublicKey" | "isKeyRequired">,
): Promise<Issued | "stale" | Refusal> {
  const accessCase = await allowed(context, id, rotationDecision(context, caller, placeholderCredential));
  if (isRefusal(accessCase)) return accessCase;
  const grant = started(accessCase.grant);
  const names = grant.targets.map(({ spec }) => spec.connector);
  const keyless = sshPublicKey === undefined ? keylessAt(context, names) : [];
  if (isKeyRequired === true && keyless.length > 0) return keyMissing(keyless, id);
  const issued = await atTargets(grant, grant.expiresAt, sshPublicKey);
  // The token is replaced all the same: whoever rotates may have lost it to somebody.
  const targets = [...issued.targets, ...issued.faults.map((one) => one.missing)];
  let isStale = false;
  const decision =
    (record: CredentialRecord): CaseDecision =>
    async (loaded) => {
      const now = loaded.accessCase.grant;
      // Extended meanwhile: the targets were told an end that is not the end any more.
      isStale = grant.targets.length > 0 && hasStarted(now) && now.expiresAt !== grant.expiresAt;
      return isStale
        ? { decision: refuse("not_active", "The access was extended meanwhile."), expects: [] }
        : rotationDecision(context, caller, record)(loaded);
    };
  const made = await issue(context, caller, id, decision, targets);
  return isStale ? "stale" : made;
}

function started(grant: Grant | undefined): StartedGrant {
  return assertPresent(hasStarted(grant) ? grant : undefined, "access that has started");
}

function recordOf(token: string, { idSuffix, sha256 }: Runtime, issuedAt: Instant): CredentialRecord {
  return { id: makeId("credential", idSuffix()), hash: sha256(token), last4: token.slice(-4), issuedAt };
}

function credentialView(
  grant: StartedGrant,
  token: string,
  targets: readonly CredentialTarget[],
): CredentialView {
  return { id: grant.credential.id, token, expiresAt: formatInstant(grant.expiresAt), targets };
}

/** What is kept of it: everything but what is secret. */
function shownCredential(grant: Grant, targets: readonly CredentialTarget[]): ShownCredential {
  const { token: _, ...kept } = credentialView(
    started(grant),
    "",
    targets.map((one) => ({ ...one, secret: null })),
  );
  return { ...kept, tokenShown: true };
}
