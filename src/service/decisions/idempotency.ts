import type { IdempotentCall } from "../ports/idempotent-call.ts";
import type { AccessRequest } from "../../core/access/access-request.ts";
import type { Grant } from "../../core/access/grant.ts";
import { parseId } from "../../core/values/ids.ts";
import { storedRequestOf, type ShownRequest, type StoredRequest } from "./stored-request.ts";
import type { ServiceContext } from "./load-facts.ts";
import type { IdempotencyRecord } from "../ports/store.ts";
import { showRequest } from "./build-views.ts";
import type { CredentialView } from "../views/request-view.ts";

/** Marks a call that was started and not completed. After a crash, a retry resumes from what is stored. */
export const startedStatus = 0;

/** What is kept instead of a credential: everything but the token, which is shown once and never again. */
export type ShownCredential = Omit<CredentialView, "token"> & { readonly tokenShown: true };

/** Writes the answer of a call into the commit that has its effect, so that no crash can separate the two. */
export type AnswerWriter = (stored: StoredRequest) => Promise<{
  readonly idempotencyRecord: IdempotencyRecord;
  /** What the call is answered with; absent while it has only started. */
  readonly shown?: ShownRequest;
}>;

/**
 * How this call's answer is kept; undefined for a call without an Idempotency-Key. `credentialOf`: the record of a
 * token.
 */
export function keepAnswer(
  context: ServiceContext,
  idempotentCall: IdempotentCall | undefined,
  status: number,
  credentialOf?: (grant: Grant) => ShownCredential,
): AnswerWriter | undefined {
  if (idempotentCall === undefined) return undefined;
  return async (stored) => {
    const shown = await showRequest(context, stored);
    const credential = stored.grant === undefined ? undefined : credentialOf?.(stored.grant);
    const body = JSON.stringify({ ...shown.view, ...(credential !== undefined && { credential }) });
    return { idempotencyRecord: { ...idempotentCall, status, body, at: context.runtime.now() }, shown };
  };
}

/** Records that the call has started, with the request it made. */
export function markStarted(
  context: ServiceContext,
  idempotentCall: IdempotentCall,
  request: AccessRequest,
): IdempotencyRecord {
  const body = JSON.stringify({ id: request.id });
  return { ...idempotentCall, status: startedStatus, body, at: context.runtime.now() };
}

/** The request that an interrupted earlier try of this call has stored; undefined for a new call. */
export async function findStartedRequest(
  { store }: ServiceContext,
  idempotentCall: IdempotentCall | undefined,
): Promise<StoredRequest | undefined> {
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
  const found = id === undefined ? undefined : await store.request(id);
  return found === undefined ? undefined : storedRequestOf(found);
}
