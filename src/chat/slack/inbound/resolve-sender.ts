import { refuse } from "../../../core/values/refusals.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import { StoreUnavailable } from "../../../service/ports/store.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Sender, SenderIds } from "../people/people.ts";
import type { InboundDeps } from "./inbound-deps.ts";

/** The caller behind a payload. A sender without an identity is recorded and gets a reply instead. */
export async function resolveCaller(
  { people, recordRejected, chat }: InboundDeps,
  ids: SenderIds,
  typed: string,
): Promise<{ readonly caller: Caller } | { readonly reply: Reply }> {
  const sender = await people.senderOf(ids).catch(refusedByStore);
  if (sender.kind === "known") return sender;
  const { refusal } = sender;
  await recordRejected(ids, refusal, typed);
  if (sender.kind === "unlinked")
    return { reply: await chat.runUnlinked(sender.unlinkedUser, typed, refusal) };
  return { reply: { kind: "refused", refusal, lines: [[refusal.detail]], card: null, buttons: [] } };
}

/** Without the store nobody can be identified. */
function refusedByStore(fault: unknown): Sender {
  if (!(fault instanceof StoreUnavailable)) throw fault;
  const detail = "It cannot be decided right now; nothing was changed. Try again in a moment.";
  return { kind: "refused", refusal: refuse("store_unavailable", detail, { retryAfterSeconds: 5 }) };
}

/** The reply to a payload: `answer` for a known caller, otherwise the one for an unknown sender. */
export async function replyTo(
  deps: InboundDeps,
  ids: SenderIds,
  typed: string,
  answer: (caller: Caller) => Promise<Reply>,
): Promise<{ readonly reply: Reply; readonly caller: Caller | undefined }> {
  const resolved = await resolveCaller(deps, ids, typed);
  if ("reply" in resolved) return { ...resolved, caller: undefined };
  return { caller: resolved.caller, reply: await answer(resolved.caller) };
}

/** The sender's ids from the fields that every signed payload has. */
export function senderIdsOf({
  user,
  team,
  enterprise,
}: {
  readonly user: { readonly id: string; readonly team_id?: string | undefined };
  readonly team?: { readonly id: string } | null | undefined;
  readonly enterprise?: { readonly id: string } | null | undefined;
}): SenderIds {
  return { userId: user.id, teamId: user.team_id ?? team?.id, enterpriseId: enterprise?.id };
}
