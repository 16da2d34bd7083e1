import type { App } from "@slack/bolt";
import type { Chat } from "../../conversation/chat.ts";
import type { Reply } from "../../conversation/reply.ts";
import { refuse } from "../../../core/values/refusals.ts";
import { StoreUnavailable } from "../../../service/ports/store.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { CardService } from "../../../service/messaging/card-source.ts";
import type { Freshness } from "../../../service/ports/user-groups.ts";
import type { OpenAppHomes } from "./open-app-homes.ts";
import type { SlackClient } from "../connection/slack-client.ts";
import type { Known, Sender } from "../people/people.ts";

/** After this an answer comes as a message of its own: Slack wants to hear from us within 3 s. */
export const timeoutMs = 1_200;

export interface InboundDeps {
  readonly app: App;
  readonly client: SlackClient;
  readonly chat: Chat;
  readonly cards: CardService;
  /** Who it is; asked of Slack at each press, for what is only shown at most every minute. */
  readonly known: (sender: Sender, freshness?: Freshness) => Promise<Known>;
  readonly openHomes: Pick<OpenAppHomes, "opened">;
  /** Puts on record that somebody was turned away who is nobody we know. */
  readonly recordRejected: (
    sender: Sender,
    known: Extract<Known, { refusal: unknown }>,
    verb: string,
  ) => Promise<void>;
}

/** Who it is; somebody unknown is put on record, and gets what they are told instead. `typed`: what they wanted. */
export async function resolveCaller(
  { known, recordRejected, chat }: InboundDeps,
  sender: Sender,
  typed: string,
): Promise<{ readonly caller: Caller } | { readonly reply: Reply }> {
  const found = await known(sender).catch(unreadable);
  if ("caller" in found) return found;
  await recordRejected(sender, found, typed);
  const { refusal, unlinkedUser } = found;
  if (unlinkedUser !== undefined) return { reply: await chat.runUnlinked(unlinkedUser, typed, refusal) };
  return { reply: { kind: "refused", refusal, lines: [[refusal.detail]], card: null, buttons: [] } };
}

/** Who somebody is cannot be read either where the store cannot be used. */
function unreadable(fault: unknown): Known {
  if (!(fault instanceof StoreUnavailable)) throw fault;
  const detail = "It cannot be decided right now; nothing was changed. Try again in a moment.";
  return { refusal: refuse("store_unavailable", detail, { retryAfterSeconds: 5 }), unlinkedUser: undefined };
}

/** The reply for this sender: the conversation's, or what somebody unknown is told. */
export async function replyTo(
  deps: InboundDeps,
  sender: Sender,
  typed: string,
  answer: (caller: Caller) => Promise<Reply>,
): Promise<{ readonly reply: Reply; readonly caller: Caller | undefined }> {
  const resolved = await resolveCaller(deps, sender, typed);
  if ("reply" in resolved) return { ...resolved, caller: undefined };
  return { ...resolved, reply: await answer(resolved.caller) };
}

/** Who sent it, from what every signed payload says. */
export function senderOf({
  user,
  team,
  enterprise,
}: {
  readonly user: { readonly id: string; readonly team_id?: string | undefined };
  readonly team?: { readonly id: string } | null | undefined;
  readonly enterprise?: { readonly id: string } | null | undefined;
}): Sender {
  return { userId: user.id, teamId: user.team_id ?? team?.id, enterpriseId: enterprise?.id };
}
