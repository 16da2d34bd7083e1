import { parseId } from "../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../core/values/refusals.ts";
import { parseSshPublicKey } from "../core/values/ssh-public-key.ts";
import type { AccessService, ToBeConfirmed } from "./requests/access-service.ts";
import { parseRequestedDuration, type RequestInput } from "./ports/request-input.ts";
import type { SubmitResult, SubmitAndClaimService } from "./requests/submit-and-claim-service.ts";
import { actorOf, type Caller } from "./ports/caller.ts";
import type { CredentialService } from "./credentials/claim/credential-service.ts";
import type { GrantService } from "./grants/grant-service.ts";
import { showRequest } from "./decisions/build-views.ts";
import type { ServiceContext } from "./decisions/load-facts.ts";
import type { ShownRequest, StoredRequest } from "./decisions/stored-request.ts";
import { createTokenRedactor, type RedactTokens, type ReportLeak } from "./guards/redact-tokens.ts";
import { idOfNamed } from "./people/find-identity.ts";
import type { RefusalLog } from "./reports/refusal-log.ts";
import type { CredentialView, RequestView } from "./views/request-view.ts";

/** A request as a command has left it. */
export interface CommandResult {
  readonly request: RequestView;
  /** What the command has read, so that a card of the request reads nothing twice. */
  readonly shown: ShownRequest;
  /** The secret, for its owner, in this one answer. */
  readonly credential?: CredentialView;
  /** Its targets are still being prepared; it must be claimed again. */
  readonly isPreparing?: true;
  /** Nothing was decided: the approval would count, and must be confirmed because of the risk. */
  readonly isToBeConfirmed?: true;
}

/** What comes with a claim or a rotation. */
export interface ClaimInput {
  /** One line, as in `id_ed25519.pub`; for targets that are reached by SSH. */
  readonly sshPublicKey?: string;
  /** Without a key that a target needs, a rotation is refused instead of replacing everything else. */
  readonly isKeyRequired?: true;
}

/**
 * Entry point for commands from every surface. Tokens pasted into free text are masked and ended, refusals are
 * recorded, and the answer is the whole request as it is afterwards.
 */
export interface RequestCommands {
  ask(caller: Caller, input: RequestInput): Promise<CommandResult | Refusal>;
  approve(
    caller: Caller,
    id: string,
    approval: {
      readonly comment?: string;
      readonly duration?: string;
      readonly revision?: string;
      /** A request of high risk is not approved yet; see {@link CommandResult.isToBeConfirmed}. */
      readonly confirmsHighRisk?: true;
    },
  ): Promise<CommandResult | Refusal>;
  deny(caller: Caller, id: string, reason: string): Promise<CommandResult | Refusal>;
  cancel(caller: Caller, id: string, reason?: string): Promise<CommandResult | Refusal>;
  claim(caller: Caller, id: string, input?: ClaimInput): Promise<CommandResult | Refusal>;
  rotate(caller: Caller, id: string, input?: ClaimInput): Promise<CommandResult | Refusal>;
  complete(caller: Caller, id: string, note?: string): Promise<CommandResult | Refusal>;
  /** `token`: the live credential itself, which may end its own access. */
  completeByToken(token: string, id: string, note?: string): Promise<CommandResult | Refusal>;
  revoke(caller: Caller, id: string, reason: string): Promise<CommandResult | Refusal>;
  extend(
    caller: Caller,
    id: string,
    more: { readonly duration: string; readonly reason: string },
  ): Promise<CommandResult | Refusal>;
  review(
    caller: Caller,
    id: string,
    judgement: { readonly outcome: "justified" | "unjustified"; readonly comment: string },
  ): Promise<CommandResult | Refusal>;
  /**
   * Records that a surface has refused a verb, for example for a missing role, and returns the refusal. `id`: of the
   * request that the verb is about, or of the identity that access is requested for.
   */
  readonly refused: (caller: Caller, verb: string, refusal: Refusal, id?: string) => Promise<Refusal>;
}

export interface RequestCommandDeps {
  readonly submitAndClaim: SubmitAndClaimService;
  readonly access: AccessService;
  readonly grants: GrantService;
  readonly credentials: CredentialService;
  readonly refusals: RefusalLog;
  readonly report: ReportLeak;
}

type CommandOutcome = StoredRequest | SubmitResult | ToBeConfirmed;

export function createRequestCommands(
  context: ServiceContext,
  services: RequestCommandDeps,
  onFault: (fault: unknown) => void,
): RequestCommands {
  const { report } = services;
  const refusalRecorder = createRefusalRecorder(context, services, onFault);
  const { answer, refused } = refusalRecorder;
  const redactTokens = createTokenRedactor(report);
  return {
    refused,
    ...askerVerbs(context.store, services, refusalRecorder, redactTokens),
    ...deciderVerbs(services, refusalRecorder, redactTokens),
    async claim(caller, id, input) {
      const claim = claimOf(input);
      if (isRefusal(claim)) return refused(caller, "claim", claim, id);
      return answer(caller, "claim", id, services.credentials.claim(caller, id, claim));
    },
    async rotate(caller, id, input) {
      const claim = claimOf(input);
      if (isRefusal(claim)) return refused(caller, "rotate", claim, id);
      return answer(caller, "rotate", id, services.credentials.rotate(caller, id, claim));
    },
    async completeByToken(token, id, note) {
      // The presented token is not reported as leaked: this call ends its access anyway.
      const others = createTokenRedactor(async (found) => (found === token ? undefined : report(found)));
      const words = note === undefined ? null : await others(note);
      const outcome = await services.credentials.completeByToken(token, id, words);
      if (isRefusal(outcome)) return outcome;
      const shown = await showRequest(context, outcome);
      return { request: shown.view, shown };
    },
  };
}

/** Records refusals and completes answers. */
interface RefusalRecorder {
  readonly answer: (
    caller: Caller,
    verb: string,
    id: string,
    made: Promise<CommandOutcome | Refusal>,
  ) => Promise<CommandResult | Refusal>;
  readonly refused: RequestCommands["refused"];
}

function createRefusalRecorder(
  context: ServiceContext,
  { refusals }: RequestCommandDeps,
  onFault: (fault: unknown) => void,
): RefusalRecorder {
  /** The refusal stays a refusal when the store cannot record it. */
  const refused: RefusalRecorder["refused"] = async (caller, verb, refusal, id) => {
    const action = verb === "ask" ? "request.refused" : "decision.refused";
    const request = id === undefined ? undefined : parseId("request", id);
    const isKnown = request !== undefined && refusal.refused !== "not_found";
    const identity = id === undefined ? undefined : parseId("identity", id);
    const isPersonKnown = identity !== undefined && refusal.refused !== "identity_unknown";
    try {
      const about = {
        action,
        verb,
        ...(isKnown && { request }),
        ...(isPersonKnown && { identity }),
      } as const;
      await refusals.record(actorOf(caller), about, refusal, context.runtime.now());
    } catch (fault) {
      onFault(fault);
    }
    return refusal;
  };
  return {
    refused,
    async answer(caller, verb, id, made) {
      const outcome = await made;
      if (isRefusal(outcome)) return refused(caller, verb, outcome, id);
      if ("toBeConfirmed" in outcome) {
        const shown = await showRequest(context, outcome.toBeConfirmed);
        return { request: shown.view, shown, isToBeConfirmed: true };
      }
      const { stored, ...more } = "stored" in outcome ? outcome : { stored: outcome };
      const shown = await showRequest(context, stored);
      return { request: shown.view, shown, ...more };
    },
  };
}

/** The claim, with its public key checked. */
function claimOf({ sshPublicKey, ...rest }: ClaimInput = {}): ClaimInput | Refusal {
  if (sshPublicKey === undefined) return rest;
  const key = parseSshPublicKey(sshPublicKey);
  if ("line" in key) return { ...rest, sshPublicKey: key.line };
  const errors = [{ path: "sshPublicKey", message: key.problem }];
  return refuse("invalid_body", `The public key ${key.problem}.`, { errors });
}

type AskerVerbs = Pick<RequestCommands, "ask" | "cancel" | "complete" | "extend">;

function askerVerbs(
  store: ServiceContext["store"],
  { access, submitAndClaim, grants }: RequestCommandDeps,
  { answer, refused }: RefusalRecorder,
  redactTokens: RedactTokens,
): AskerVerbs {
  return {
    async ask(caller, input) {
      const identityId = await idOfNamed(store, input.identityId);
      const asked = { ...(await redactedInput(input, redactTokens)), identityId };
      return answer(caller, "ask", identityId, submitAndClaim.submit(caller, asked));
    },
    async cancel(caller, id, reason) {
      const words = reason === undefined ? "withdrawn" : await redactTokens(reason);
      return answer(caller, "cancel", id, access.cancel(caller, id, words));
    },
    async complete(caller, id, note) {
      const words = note === undefined ? null : await redactTokens(note);
      return answer(caller, "complete", id, grants.complete(caller, id, words));
    },
    async extend(caller, id, more) {
      const durationMs = parseRequestedDuration(more.duration);
      if (typeof durationMs !== "number") return refused(caller, "extend", durationMs, id);
      const reason = await redactTokens(more.reason);
      return answer(caller, "extend", id, grants.extend(caller, id, { durationMs, reason }));
    },
  };
}

type DeciderVerbs = Pick<RequestCommands, "approve" | "deny" | "revoke" | "review">;

function deciderVerbs(
  { access, grants }: RequestCommandDeps,
  { answer, refused }: RefusalRecorder,
  redactTokens: RedactTokens,
): DeciderVerbs {
  return {
    async approve(caller, id, { comment, duration, revision, confirmsHighRisk }) {
      const durationMs = duration === undefined ? undefined : parseRequestedDuration(duration);
      if (isRefusal(durationMs)) return refused(caller, "approve", durationMs, id);
      const approval = {
        ...(comment !== undefined && { comment: await redactTokens(comment) }),
        ...(durationMs !== undefined && { durationMs }),
        ...(revision !== undefined && { revision }),
        ...(confirmsHighRisk !== undefined && { confirmsHighRisk }),
      };
      return answer(caller, "approve", id, access.approve(caller, id, approval));
    },
    deny: async (caller, id, reason) =>
      answer(caller, "deny", id, access.deny(caller, id, await redactTokens(reason))),
    async revoke(caller, id, reason) {
      const words = await redactTokens(reason);
      return answer(caller, "revoke", id, grants.revoke(caller, id, words));
    },
    async review(caller, id, judgement) {
      const comment = await redactTokens(judgement.comment);
      return answer(caller, "review", id, access.review(caller, id, { ...judgement, comment }));
    },
  };
}

async function redactedInput(input: RequestInput, redactTokens: RedactTokens): Promise<RequestInput> {
  const metadata: Record<string, string> = {};
  for (const [name, value] of Object.entries(input.metadata ?? {})) {
    metadata[await redactTokens(name)] = await redactTokens(value);
  }
  return {
    ...input,
    reason: await redactTokens(input.reason),
    ...(input.ticket !== undefined && { ticket: await redactTokens(input.ticket) }),
    ...(input.metadata !== undefined && { metadata }),
  };
}
