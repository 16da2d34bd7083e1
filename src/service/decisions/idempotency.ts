import type { Once } from "../ports/idempotent-call.ts";
import type { AccessRequest } from "../../core/access/access-request.ts";
import { present } from "../../core/values/assert.ts";
import type { Grant } from "../../core/access/grant.ts";
import { parseId } from "../../core/values/ids.ts";
import type { ServiceContext } from "./load-facts.ts";
import type { KeptAnswer } from "../ports/store.ts";
import type { Folded } from "./build-step.ts";
import { viewsOf } from "./build-views.ts";
import type { CredentialView } from "../views/request-view.ts";

/** Status of an answer whose call was begun and not finished: after a crash a retry carries on from what is stored. */
export const unfinished = 0;

/** What is kept instead of a credential: everything but the token, which is shown once and never again. */
export type ShownCredential = Omit<CredentialView, "token"> & { readonly tokenShown: true };

/** Writes the answer of a call into the very commit that has its effect, so that no crash can part the two. */
export type Keep = (folded: Folded) => Promise<KeptAnswer>;

/** How this call's answer is kept; undefined for a call without an Idempotency-Key. `shown`: the token's record. */
export function keeping(
  context: ServiceContext,
  once: Once | undefined,
  status: number,
  shown?: (grant: Grant) => ShownCredential,
): Keep | undefined {
  if (once === undefined) return undefined;
  return async ({ request, created, grant }) => {
    const answered = created ?? request;
    const view = await viewBeforeCommit(context, answered, grant);
    const credential = grant === undefined ? undefined : shown?.(grant);
    const body = JSON.stringify({ ...view, ...(credential !== undefined && { credential }) });
    return { ...once, status, body, at: context.surroundings.now() };
  };
}

/** Notes that the call has begun, with the request it made. */
export function begun(context: ServiceContext, once: Once, request: AccessRequest): KeptAnswer {
  const body = JSON.stringify({ id: request.id });
  return { ...once, status: unfinished, body, at: context.surroundings.now() };
}

/** The request an earlier try of this very call has stored before it died; undefined for a call that is new. */
export async function begunRequest(
  { store }: ServiceContext,
  once: Once | undefined,
): Promise<AccessRequest | undefined> {
  if (once === undefined) return undefined;
  const kept = await store.answer(once.keyId, once.call, once.idempotencyKey);
  if (kept === undefined || kept.status !== unfinished || kept.bodyHash !== once.bodyHash) return undefined;
  const note: unknown = JSON.parse(kept.body);
  const text = typeof note === "object" && note !== null && "id" in note ? String(note.id) : "";
  const id = parseId("request", text);
  return id === undefined ? undefined : (await store.request(id))?.request.value;
}

async function viewBeforeCommit(context: ServiceContext, request: AccessRequest, grant: Grant | undefined) {
  const [view] = await viewsOf(context, [
    { request: { value: request }, grant: grant === undefined ? undefined : { value: grant } },
  ]);
  return present(view, request.id);
}
