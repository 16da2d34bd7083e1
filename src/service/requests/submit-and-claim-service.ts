import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import { isClaimedAtOnce, type AccessService } from "./access-service.ts";
import { parseId, type RequestId } from "../../core/values/ids.ts";
import type { RequestInput } from "../ports/request-input.ts";
import type { Caller } from "../ports/caller.ts";
import type { CredentialService } from "../credentials/claim/credential-service.ts";
import type { GrantService } from "../grants/grant-service.ts";
import type { ServiceContext } from "../decisions/load-facts.ts";
import { findStartedRequest } from "../decisions/idempotency.ts";
import type { StoredRequest } from "../decisions/stored-request.ts";
import type { CredentialView } from "../views/request-view.ts";

/** How long break-glass waits for the first attempt to alert people (docs/policies.md#break-glass). */
export const alertWaitMs = 2_000;

/** Lets the relay make its first attempt to send this request's notices. */
export type FirstAttempt = (requestId: RequestId, withinMs: number) => Promise<void>;

export interface SubmitResult {
  readonly stored: StoredRequest;
  /** Present when the access started in this call. */
  readonly credential?: CredentialView;
  /** Approved and claimed, but a target takes longer than the call may. */
  readonly isPreparing?: true;
}

export interface SubmitAndClaimService {
  /**
   * All of `POST /credentials/jit`: submits a request, and claims it at once when it is auto-approved for the caller.
   */
  submit(caller: Caller, input: RequestInput): Promise<SubmitResult | Refusal>;
}

export function createSubmitAndClaimService(
  context: ServiceContext,
  access: AccessService,
  grants: GrantService,
  credentials: CredentialService,
  firstAttempt: FirstAttempt,
): SubmitAndClaimService {
  return {
    async submit(caller, input) {
      const subjectId = parseId("identity", input.identityId);
      if (subjectId !== undefined) await grants.settle(subjectId);
      const stored =
        (await findStartedRequest(context, caller.idempotentCall)) ?? (await access.submit(caller, input));
      if (isRefusal(stored)) return stored;
      const { request } = stored;
      // Also where a later press shows the secret: people have been alerted before that is possible.
      const isTaken = request.breakGlass !== undefined && request.phase === "APPROVED";
      const isClaimed = isClaimedAtOnce(caller, request);
      const claim = { answerStatus: 201 };
      if (isTaken) {
        // In parallel, so that slow targets do not make an emergency wait twice.
        await Promise.all([
          firstAttempt(request.id, alertWaitMs),
          ...(isClaimed ? [credentials.prepare(caller, request.id, claim)] : []),
        ]);
      }
      if (!isClaimed) return { stored };
      const waited = isTaken ? { waitMs: 0 } : {};
      const issued = await credentials.claim(caller, request.id, { ...claim, ...waited });
      // Approved but not claimable now, for example during a lockdown: it stays approved and can be claimed later.
      return isRefusal(issued) ? { stored } : issued;
    },
  };
}
