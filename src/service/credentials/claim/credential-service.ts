import type { AccessRequest } from "../../../core/access/access-request.ts";
import { decideComplete } from "../../../core/decisions/decide-end.ts";
import type { IdentityId } from "../../../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../../../core/values/refusals.ts";
import { lacksRole, type Caller } from "../../ports/caller.ts";
import { actorForHolder, isCurrentCredentialOf, livingCredential } from "../token-check-service.ts";
import { decideCase, findCase, requestOf } from "../../decisions/decide-case.ts";
import { createIssuing, type Claim, type Issued } from "./issue-credential.ts";
import type { ServiceContext } from "../../decisions/load-facts.ts";
import { prepare, type Prepared } from "./prepare-targets.ts";
import type { TargetService } from "../../targets/target-service.ts";

/** Claimed, and not all targets are ready yet: to be claimed again. */
export interface StillPreparing {
  readonly request: AccessRequest;
  readonly isPreparing: true;
}

const notValid = "This credential is not valid any more.";

/** How a requester comes to a token, replaces it and gives it back. */
export interface CredentialService {
  /** Begins to make targets ready and waits a little for them, without giving anything out. */
  prepare(caller: Caller, id: string, claim: Claim): Promise<Prepared | Refusal>;
  /** Starts the access and shows the token, once. */
  claim(caller: Caller, id: string, claim?: Claim): Promise<Issued | StillPreparing | Refusal>;
  /** A new token and new secrets of its targets; the old ones are dead at once. */
  rotate(
    caller: Caller,
    id: string,
    claim?: Pick<Claim, "sshPublicKey" | "isKeyRequired">,
  ): Promise<Issued | Refusal>;
  /** The token says that its holder is done. */
  completeByToken(token: string, id: string, note: string | null): Promise<AccessRequest | Refusal>;
}

/** @param settle Writes down what the clock has ended for this person. */
export function createCredentialService(
  context: ServiceContext,
  targets: TargetService,
  settle: (subjectId: IdentityId) => Promise<void>,
  onFault: (fault: unknown) => void,
): CredentialService {
  const issuing = createIssuing(context, targets, onFault);
  const claimOnce: CredentialService["claim"] = async (caller, id, claim = {}) => {
    const prepared = await prepare(context, caller, id, claim);
    if (isRefusal(prepared)) return prepared;
    if (prepared === "not_needed") return issuing.claim(caller, id, claim);
    const issued = prepared === "ready" ? await issuing.claimPrepared(caller, id, claim) : "waiting";
    return issued === "waiting" ? stillPreparing(context, id) : issued;
  };
  return {
    prepare: async (caller, id, claim) =>
      lacksRole(caller, "requester") ?? prepare(context, caller, id, claim),
    async claim(caller, id, claim) {
      const missing = lacksRole(caller, "requester");
      if (missing !== undefined) return missing;
      const issued = await claimOnce(caller, id, claim);
      if (!isRefusal(issued) || issued.refused !== "limit_reached") return issued;
      // What is over takes no room, though no sweep has written it yet.
      await settle(caller.identity.id);
      return claimOnce(caller, id, claim);
    },
    rotate: async (caller, id, claim = {}) =>
      lacksRole(caller, "requester") ?? issuing.rotate(caller, id, claim),
    async completeByToken(token, id, note) {
      const presented = await livingCredential(context, token);
      if (presented === undefined) return refuse("unauthenticated", notValid);
      const { requestId, subjectId } = presented.grant;
      if (requestId !== id) return refuse("not_requester", "This credential belongs to another request.");
      return requestOf(
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

async function stillPreparing(context: ServiceContext, id: string): Promise<StillPreparing | Refusal> {
  const loaded = await findCase(context, id);
  return isRefusal(loaded) ? loaded : { request: loaded.accessCase.request, isPreparing: true };
}
