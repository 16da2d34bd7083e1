import type { AccessRequest } from "../../core/access/access-request.ts";
import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { isClaimedAtOnce, type AccessService } from "./access-service.ts";
import { parseId, type RequestId } from "../../core/values/ids.ts";
import type { RequestInput } from "../ports/request-input.ts";
import type { Caller } from "../ports/caller.ts";
import type { CredentialService } from "../credentials/claim/credential-service.ts";
import type { GrantService } from "../grants/grant-service.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { findStartedRequest } from "../decisions/idempotency.ts";
import type { CredentialView } from "../views/request-view.ts";

/** How long break-glass waits for the first attempt at telling people before the secret is shown (contract §5). */
export const alertWaitMs = 2_000;

/** Lets the relay make its first attempt at telling what this request has to tell. */
export type FirstAttempt = (requestId: RequestId, withinMs: number) => Promise<void>;

export interface SubmitResult {
  readonly request: AccessRequest;
  /** Present when the access started in this very call. */
  readonly credential?: CredentialView;
  /** Approved and claimed, and a target takes longer than the call may. */
  readonly isPreparing?: true;
}

export interface SubmitAndClaimService {
  /** The whole of `POST /credentials/jit`: asks, and claims at once what was approved at birth for the asker. */
  ask(caller: Caller, input: RequestInput): Promise<SubmitResult | Refusal>;
}

export function createSubmitAndClaimService(
  context: ServiceContext,
  access: AccessService,
  grants: GrantService,
  credentials: CredentialService,
  firstAttempt: FirstAttempt,
): SubmitAndClaimService {
  return {
    async ask(caller, input) {
      const subjectId = parseId("identity", input.identityId);
      if (subjectId !== undefined) await grants.settle(subjectId);
      const request =
        (await findStartedRequest(context, caller.idempotentCall)) ?? (await access.submit(caller, input));
      if (isRefusal(request)) return request;
      // Also where the secret is shown by a later press: people have been told before it can come.
      const isTaken = request.breakGlass !== undefined && request.phase === "APPROVED";
      const isClaimed = isClaimedAtOnce(caller, request);
      const claim = { answerStatus: 201 };
      if (isTaken) {
        // Side by side, so that slow targets do not make an emergency wait twice.
        await Promise.all([
          firstAttempt(request.id, alertWaitMs),
          ...(isClaimed ? [credentials.prepare(caller, request.id, claim)] : []),
        ]);
      }
      if (!isClaimed) return { request };
      const waited = isTaken ? { waitMs: 0 } : {};
      const issued = await credentials.claim(caller, request.id, { ...claim, ...waited });
      // Approved and not claimable at this moment (a lockdown, say): it stands as approved and can be claimed later.
      return isRefusal(issued) ? { request } : issued;
    },
  };
}
