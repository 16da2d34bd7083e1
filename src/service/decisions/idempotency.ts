import type { IdempotentCall } from "../ports/idempotent-call.ts";
import type { AccessRequest } from "../../core/access/access-request.ts";
import { assertPresent } from "../../core/values/assert.ts";
import type { Grant } from "../../core/access/grant.ts";
import { parseId } from "../../core/values/ids.ts";
import type { ServiceContext } from "./load-facts.ts";
import type { IdempotencyRecord } from "../ports/store.ts";
import type { BuiltStep } from "./build-step.ts";
import { viewsOf } from "./build-views.ts";
import type { CredentialView } from "../views/request-view.ts";

/** Status of an answer whose call was begun and not finished: after a crash a retry carries on from what is stored. */
export const startedStatus = 0;

/** What is kept instead of a credential: everything but the token, which is shown once and never again. */
export type ShownCredential = Omit<CredentialView, "token"> & { readonly tokenShown: true };

/** Writes the answer of a call into the very commit that has its effect, so that no crash can part the two. */
export type AnswerWriter = (built: BuiltStep) => Promise<IdempotencyRecord>;

/** How this call's answer is kept; undefined for a call without an Idempotency-Key. `shown`: the token's record. */
export function keepAnswer(
  context: ServiceContext,
  idempotentCall: IdempotentCall | undefined,
  status: number,
  shown?: (grant: Grant) => ShownCredential,
): AnswerWriter | undefined {
  if (idempotentCall === undefined) return undefined;
  return async ({ request, created, grant }) => {
    const answered = created ?? request;
    const view = await viewBeforeCommit(context, answered, grant);
    const credential = grant === undefined ? undefined : shown?.(grant);
    const body = JSON.stringify({ ...view, ...(credential !== undefined && { credential }) });
    return { ...idempotentCall, status, body, at: context.runtime.now() };
  };
}

/** Notes that the call has begun, with the request it made. */
export function markStarted(
  context: ServiceContext,
  idempotentCall: IdempotentCall,
  request: AccessRequest,
): IdempotencyRecord {
  const body = JSON.stringify({ id: request.id });
  return { ...idempotentCall, status: startedStatus, body, at: context.runtime.now() };
}

/** The request an earlier try of this very call has stored before it died; undefined for a call that is new. */
export async function findStartedRequest(
  { store }: ServiceContext,
  idempotentCall: IdempotentCall | undefined,
): Promise<AccessRequest | undefined> {
  if (idempotentCall === undefined) return undefined;
  const kept = await store.idempotencyRecord(
    idempotentCall.keyId,
    idempotentCall.call,
    idempotentCall.idempotencyKey,
  );
  if (kept === undefined || kept.status !== startedStatus || kept.bodyHash !== idempotentCall.bodyHash)
    return undefined;
  const note: unknown = JSON.parse(kept.body);
  const text = typeof note === "object" && note !== null && "id" in note ? String(note.id) : "";
  const id = parseId("request", text);
  return id === undefined ? undefined : (await store.request(id))?.request.value;
}

async function viewBeforeCommit(context: ServiceContext, request: AccessRequest, grant: Grant | undefined) {
  const [view] = await viewsOf(context, [
    { request: { value: request }, grant: grant === undefined ? undefined : { value: grant } },
  ]);
  return assertPresent(view, request.id);
}
