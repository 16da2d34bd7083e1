import type { AccessRequest } from "../core/access/access-request.ts";
import { parseId } from "../core/values/ids.ts";
import { isRefusal, refuse, type Refusal } from "../core/values/refusals.ts";
import { parseSshPublicKey } from "../core/values/ssh-public-key.ts";
import type { AccessService } from "./requests/access-service.ts";
import { parseRequestedDuration, type RequestInput } from "./ports/request-input.ts";
import type { SubmitResult, SubmitAndClaimService } from "./requests/submit-and-claim-service.ts";
import { actorOf, type Caller } from "./ports/caller.ts";
import type { CredentialService } from "./credentials/claim/credential-service.ts";
import type { GrantService } from "./grants/grant-service.ts";
import type { ServiceContext } from "./decisions/load-facts.ts";
import { createTokenRedactor, type RedactTokens, type ReportLeak } from "./guards/redact-tokens.ts";
import { idOfNamed } from "./people/find-identity.ts";
import type { RequestQueries } from "./requests/request-queries.ts";
import type { RefusalLog } from "./reports/refusal-log.ts";
import type { CredentialView, RequestView } from "./views/request-view.ts";

/** A request with the secret of its owner's one answer. */
export interface CommandResult {
  readonly request: RequestView;
  readonly credential?: CredentialView;
  /** Targets are being made ready: to be claimed again. */
  readonly isPreparing?: true;
}

/** What comes with a claim or a rotation. */
export interface ClaimInput {
  /** One line, as in `id_ed25519.pub`; for targets that are reached by SSH. */
  readonly sshPublicKey?: string;
  /** A rotation without the key that a target needs is refused, instead of replacing the rest alone. */
  readonly isKeyRequired?: true;
}

/**
 * The one desk every surface brings a person's verbs to, in the person's own words. Here tokens pasted into words are
 * masked and ended, every refusal goes on record, and the answer is the whole request as it stands afterwards.
 */
export interface RequestCommands {
  ask(caller: Caller, input: RequestInput): Promise<CommandResult | Refusal>;
  approve(
    caller: Caller,
    id: string,
    approval: { readonly comment?: string; readonly duration?: string; readonly revision?: string },
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
   * Puts on record that a surface itself has refused a verb, for want of a role say, and gives the refusal back. `id`:
   * of the request the verb is about, or of the identity that is asked for.
   */
  readonly refused: (caller: Caller, verb: string, refusal: Refusal, id?: string) => Promise<Refusal>;
}

export interface RequestCommandDeps {
  readonly submitAndClaim: SubmitAndClaimService;
  readonly access: AccessService;
  readonly grants: GrantService;
  readonly credentials: CredentialService;
  readonly requestQueries: RequestQueries;
  readonly refusals: RefusalLog;
  readonly report: ReportLeak;
}

type CommandOutcome = AccessRequest | SubmitResult;

export function createRequestCommands(
  context: Pick<ServiceContext, "store" | "runtime">,
  services: RequestCommandDeps,
  onFault: (fault: unknown) => void,
): RequestCommands {
  const { requestQueries, report } = services;
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
      // Not reported as leaked here: a token in its own note is ending its access anyway.
      const others = createTokenRedactor(async (found) => (found === token ? undefined : report(found)));
      const words = note === undefined ? null : await others(note);
      const outcome = await services.credentials.completeByToken(token, id, words);
      return isRefusal(outcome) ? outcome : { request: await requestQueries.show(outcome) };
    },
  };
}

/** Puts refusals on record and makes whole answers. */
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
  { runtime }: Pick<ServiceContext, "runtime">,
  { requestQueries, refusals }: RequestCommandDeps,
  onFault: (fault: unknown) => void,
): RefusalRecorder {
  /** A store that cannot record the refusal does not turn it into a yes. */
  const refused: RefusalRecorder["refused"] = async (caller, verb, refusal, id) => {
    const action = verb === "ask" ? "request.refused" : "decision.refused";
    const request = id === undefined ? undefined : parseId("request", id);
    const isKnown = request !== undefined && refusal.refused !== "not_found";
    const identity = id === undefined ? undefined : parseId("identity", id);
    const isSomebody = identity !== undefined && refusal.refused !== "identity_unknown";
    try {
      const about = { action, verb, ...(isKnown && { request }), ...(isSomebody && { identity }) } as const;
      await refusals.record(actorOf(caller), about, refusal, runtime.now());
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
      if ("phase" in outcome) return { request: await requestQueries.show(outcome) };
      return { ...outcome, request: await requestQueries.show(outcome.request) };
    },
  };
}

/** With the key as it may be signed. */
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
      return answer(caller, "ask", identityId, submitAndClaim.ask(caller, asked));
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
    async approve(caller, id, { comment, duration, revision }) {
      const durationMs = duration === undefined ? undefined : parseRequestedDuration(duration);
      if (isRefusal(durationMs)) return refused(caller, "approve", durationMs, id);
      const approval = {
        ...(comment !== undefined && { comment: await redactTokens(comment) }),
        ...(durationMs !== undefined && { durationMs }),
        ...(revision !== undefined && { revision }),
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
