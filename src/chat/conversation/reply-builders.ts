import { isRefusal, type Refusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { Card } from "../../service/views/card.ts";
import type { CommandResult } from "../../service/request-commands.ts";
import type { CredentialView, RequestView } from "../../service/views/request-view.ts";
import { scopesText, type Line } from "../../wording/card-text.ts";
import { slashPrefix } from "../../wording/help.ts";
import { refusalText } from "../../wording/refusal-text.ts";
import type { ChatContext } from "./chat-context.ts";
import type { Reply } from "./reply.ts";

export function prefixOf({ prefix = slashPrefix }: ChatContext): string {
  return prefix;
}

export function textReply(...lines: readonly Line[]): Reply {
  return { kind: "text", lines, buttons: [] };
}

/** The request as it is now, below a line about what has just happened. */
export async function cardReply(
  context: ChatContext,
  caller: Caller,
  id: string,
  lead: (request: RequestView) => readonly Line[] = () => [],
): Promise<Reply> {
  return cardReplyOf(context, await context.cards.cardOf(caller, id), lead);
}

function cardReplyOf(
  context: ChatContext,
  card: Card | Refusal,
  lead: (request: RequestView) => readonly Line[],
): Reply {
  return isRefusal(card)
    ? refusedReply(context, card, null)
    : { kind: "card", lead: lead(card.request), card };
}

/** A refusal with what to do next, and with the current card if the caller may see the request. */
export async function refusedOn(
  context: ChatContext,
  caller: Caller,
  refusal: Refusal,
  id: string,
): Promise<Reply> {
  const card = await context.cards.cardOf(caller, refusal.existing ?? id);
  return refusedReply(context, refusal, isRefusal(card) ? null : card);
}

export function refusedReply(context: ChatContext, refusal: Refusal, card: Card | null): Reply {
  return { kind: "refused", refusal, lines: refusalText(refusal, prefixOf(context)), card, buttons: [] };
}

/** The result of a command: the card with a line about it, or the refusal. */
export async function outcomeReply(
  context: ChatContext,
  caller: Caller,
  id: string,
  outcome: CommandResult | Refusal,
  lead: (request: RequestView) => readonly Line[],
): Promise<Reply> {
  if (isRefusal(outcome)) return refusedOn(context, caller, outcome, id);
  const card = await context.cards.cardOfShown(caller, outcome.shown);
  return cardReplyOf(context, card, lead);
}

/** A new credential for its owner, or a reply that its targets are still being prepared. */
export async function credentialReply(
  context: ChatContext,
  caller: Caller,
  id: string,
  outcome: CommandResult | Refusal,
): Promise<Reply> {
  if (isRefusal(outcome)) return refusedOn(context, caller, outcome, id);
  const { request, credential } = outcome;
  if (credential === undefined) {
    const lines: readonly Line[] = [
      ["The access is being prepared. Press Show credential again in a moment."],
    ];
    return { kind: "preparing", request, lines };
  }
  return { kind: "credential", credential, request, lines: credentialLines(request, credential) };
}

function credentialLines(request: RequestView, credential: CredentialView): readonly Line[] {
  return [
    [`It opens ${scopesText(request.scopes)} until `, { time: credential.expiresAt }, "."],
    ["It is shown only now, and only to you. Do not pass it on: what is done with it is done in your name."],
    ["Lost it? Press Replace credential. Finished early? Press I'm done."],
  ];
}
