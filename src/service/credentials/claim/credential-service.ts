import { decideComplete } from "../../../core/decisions/decide-end.ts";
import { areReady } from "../../../core/access/target.ts";
import type { IdentityId, RequestId } from "../../../core/values/ids.ts";
import { makeId } from "../../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../../core/values/refusals.ts";
import { createKeyedMutex } from "../../async/keyed-mutex.ts";
import { lacksRole, type Caller } from "../../ports/caller.ts";
import { actorForHolder, isCurrentCredentialOf, findLiveCredential } from "../token-check-service.ts";
import { decideCase, storedCase, storedOrRefusal } from "../../decisions/decide-case.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";
import type { StoredRequest } from "../../decisions/stored-request.ts";
import type { TargetService } from "../../targets/target-service.ts";
import { whyNotServed } from "../../targets/served-actions.ts";
import { loadClaim } from "./claim-decisions.ts";
import { claimWaitMs, type Claim, type Issued, type StillPreparing } from "./claim-options.ts";
import { desiredTargets } from "./desired-targets.ts";
import { issuePrepared, issueToken, rotate, type IssueDeps } from "./issue-credential.ts";
import { createIssueAtTargets } from "./issue-target-secrets.ts";
import { failNotServed, prepareTargets, waitForTargets } from "./prepare-targets.ts";

/*
 * Reading order of this folder: this file, then claim-decisions (may they?), desired-targets and required-ssh-key (what
 * is needed), prepare-targets (prepare and wait), issue-credential with mint-token (the token), issue-target-secrets.
 */

const notValid = "This credential is not valid any more.";

/** How a requester gets a token, replaces it and gives it back. */
export interface CredentialService {
  /** Starts preparing targets and waits a little for them. Nothing is issued. */
  prepare(caller: Caller, id: string, claim: Claim): Promise<Refusal | undefined>;
  /** Starts the access and shows the token, once. */
  claim(caller: Caller, id: string, claim?: Claim): Promise<Issued | StillPreparing | Refusal>;
  /** A new token and new secrets of its targets; the old ones stop working immediately. */
  rotate(
    caller: Caller,
    id: string,
    claim?: Pick<Claim, "sshPublicKey" | "isKeyRequired">,
  ): Promise<Issued | Refusal>;
  /** The holder of the token ends its access. */
  completeByToken(token: string, id: string, note: string | null): Promise<StoredRequest | Refusal>;
}

/** @param settle Records what the clock has ended for this person. */
export function createCredentialService(
  context: ServiceContext,
  targetService: TargetService,
  settle: (subjectId: IdentityId) => Promise<void>,
  onFault: (fault: unknown) => void,
): CredentialService {
  const atTargets = createIssueAtTargets(context, targetService, onFault);
  const deps: IssueDeps = { context, targetService, atTargets };
  /** One claim or rotation of a request at a time: a second one would invalidate the secrets the first is showing. */
  const mutex = createKeyedMutex();
  const withLock: WithLock = async (id, act) => {
    const release = await mutex.acquire(id);
    try {
      return await act();
    } finally {
      release();
    }
  };
  const claimOnce = (caller: Caller, id: string, claim: Claim = {}) =>
    claimAndWait(deps, withLock, caller, id, claim);
  return {
    async prepare(caller, id, claim) {
      const missing = lacksRole(caller, "requester");
      if (missing !== undefined) return missing;
      const advanced = await withLock(id, () => advanceClaim(deps, caller, id, claim, "targets"));
      if (isRefusal(advanced)) return advanced;
      if ("preparing" in advanced) {
        await waitForTargets(context, advanced.preparing, claim.waitMs ?? claimWaitMs);
      }
      return undefined;
    },
    async claim(caller, id, claim) {
      const missing = lacksRole(caller, "requester");
      if (missing !== undefined) return missing;
      const issued = await claimOnce(caller, id, claim);
      if (!isRefusal(issued) || issued.refused !== "limit_reached") return issued;
      // Access that is over does not count, even if no sweep has recorded its end yet.
      await settle(caller.identity.id);
      return claimOnce(caller, id, claim);
    },
    async rotate(caller, id, claim = {}) {
      const missing = lacksRole(caller, "requester");
      if (missing !== undefined) return missing;
      return withLock(id, () => rotate(deps, caller, id, claim));
    },
    async completeByToken(token, id, note) {
      const presented = await findLiveCredential(context, token);
      if (presented === undefined) return refuse("unauthenticated", notValid);
      const { requestId, subjectId } = presented.grant;
      if (requestId !== id) return refuse("not_requester", "This credential belongs to another request.");
      return storedOrRefusal(
        await decideCase(context, id, async ({ accessCase }) => ({
          decision: isCurrentCredentialOf(presented, accessCase)
            ? decideComplete(accessCase, subjectId, note, actorForHolder(presented), context.runtime.now())
            : refuse("unauthenticated", notValid),
          expects: [],
        })),
      );
    },
  };
}

type WithLock = <T>(id: string, act: () => Promise<T>) => Promise<T>;

/** Takes a claim as far as it gets, waiting a little for its targets in between. */
async function claimAndWait(
  deps: IssueDeps,
  withLock: WithLock,
  caller: Caller,
  id: string,
  claim: Claim,
): Promise<Issued | StillPreparing | Refusal> {
  const advanced = await withLock(id, () => advanceClaim(deps, caller, id, claim));
  if (!("preparing" in advanced)) return advanced;
  const { waitMs = claimWaitMs } = claim;
  const { isReady, stored } =
    waitMs === 0
      ? { isReady: false, stored: advanced.stored }
      : await waitForTargets(deps.context, advanced.preparing, waitMs);
  if (!isReady) return { stored: stored ?? advanced.stored, isPreparing: true };
  const again = await withLock(id, () => advanceClaim(deps, caller, id, claim));
  return "preparing" in again ? { stored: again.stored, isPreparing: true } : again;
}

/** Targets are being prepared, so the claim goes on later. */
interface Preparing {
  readonly preparing: RequestId;
  readonly stored: StoredRequest;
}

/**
 * Takes a claim as far as it gets now: to its credential, to the preparation of its targets, or to a refusal.
 *
 * @param until `targets`: nothing is issued, and a claim that needs no preparation is left as it is.
 */
async function advanceClaim(
  deps: IssueDeps,
  caller: Caller,
  id: string,
  claim: Claim,
  until: "targets" | "credential" = "credential",
): Promise<Issued | StillPreparing | Preparing | Refusal> {
  const { context } = deps;
  const loaded = await loadClaim(context, caller, id);
  if (isRefusal(loaded)) return loaded;
  const { request, grant } = loaded.accessCase;
  const stored = storedCase(loaded, loaded.people);
  if (whyNotServed(context.connectors, request) !== undefined) return failNotServed(context, caller, loaded);
  const isPreparing = grant?.phase === "PREPARING";
  const hasTargets = desiredTargets(context.connectors, request.scopes, makeId("grant", "none")).length > 0;
  const isReady = isPreparing ? areReady(grant.targets) : !hasTargets;
  if (isReady && until === "targets") return { stored, isPreparing: true };
  if (isReady) return (isPreparing ? issuePrepared : issueToken)(deps, caller, loaded, claim);
  const prepared = await prepareTargets(context, caller, loaded, claim);
  return isRefusal(prepared) ? prepared : { preparing: request.id, stored: prepared ?? stored };
}
