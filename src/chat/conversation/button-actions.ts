import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import { actionsFor, type Card, type CardAction } from "../../service/views/card.ts";
import type { RequestView } from "../../service/views/request-view.ts";
import { cardText, type Line } from "../../wording/card-text.ts";
import { outcomeReply, refusedReply } from "./reply-builders.ts";
import { decisionForm, type DecisionId, type Typed } from "./decision-forms.ts";
import { detailsReply } from "./request-details.ts";
import type { ChatContext } from "./chat-context.ts";
import type { Reply } from "./reply.ts";
import { showCredential } from "./ssh-key-form.ts";

/** The data of a card's button: the request, and the revision its reader saw. */
export interface PressedButton {
  readonly requestId: string;
  readonly revision: string;
}

/** Runs the action of a card's button. It is decided from the stored state, whatever the card still showed. */
export async function press(
  context: ChatContext,
  caller: Caller,
  action: CardAction,
  { requestId: id, revision }: PressedButton,
): Promise<Reply> {
  switch (action) {
    case "approve":
      return approve(context, caller, id, { revision, confirmsHighRisk: true });
    case "show_credential":
    case "replace_credential":
      return showCredential(context, caller, action, id);
    case "done":
      return done(context, caller, id);
    case "cancel":
      return cancel(context, caller, id);
    case "details": {
      const card = await context.cards.cardOf(caller, id);
      return isRefusal(card) ? refusedReply(context, card, null) : detailsReply(card);
    }
    case "deny":
    case "approve_for_less":
    case "revoke":
    case "extend":
    case "justified":
    case "not_justified":
      return openForm(context, caller, action, id, { revision });
  }
}

/** A request of high risk is approved only after the approver has confirmed it in a form with every scope. */
export async function approve(
  context: ChatContext,
  caller: Caller,
  id: string,
  terms: {
    readonly comment?: string;
    readonly duration?: string;
    readonly revision?: string;
    readonly confirmsHighRisk?: true;
  },
): Promise<Reply> {
  const outcome = await context.services.requestCommands.approve(caller, id, terms);
  if (!isRefusal(outcome) && outcome.isToBeConfirmed === true) {
    const card = await context.cards.cardOfShown(caller, outcome.shown);
    return openFormOn(context, caller, "approve", id, card, terms);
  }
  return outcomeReply(context, caller, id, outcome, approvedLines);
}

function approvedLines(request: RequestView): readonly Line[] {
  if (request.status === "DENIED") {
    return [["You approved it, but today's policies deny it, so it was denied."]];
  }
  if (request.status !== "PENDING") return [["You approved it; the requester is notified."]];
  const missing = request.approvals.reduce(
    (sum, { required, given }) => sum + Math.max(0, required - given),
    0,
  );
  return [
    [`You approved it; ${missing === 1 ? "1 more approval is" : `${missing} more approvals are`} needed.`],
  ];
}

export async function done(context: ChatContext, caller: Caller, id: string, note?: string): Promise<Reply> {
  const outcome = await context.services.requestCommands.complete(caller, id, note);
  const lead: readonly Line[] = [
    ["Your access has ended; its credential does not work any more. Thank you."],
  ];
  return outcomeReply(context, caller, id, outcome, () => lead);
}

export async function cancel(
  context: ChatContext,
  caller: Caller,
  id: string,
  reason?: string,
): Promise<Reply> {
  const outcome = await context.services.requestCommands.cancel(caller, id, reason);
  return outcomeReply(context, caller, id, outcome, () => [["The request is withdrawn."]]);
}

interface FormOptions {
  readonly revision?: string;
  readonly typed?: Typed;
}

/** Opens the form of an action, unless the action would certainly be refused. */
export async function openForm(
  context: ChatContext,
  caller: Caller,
  form: DecisionId,
  id: string,
  options: FormOptions = {},
): Promise<Reply> {
  return openFormOn(context, caller, form, id, await context.cards.cardOf(caller, id), options);
}

async function openFormOn(
  context: ChatContext,
  caller: Caller,
  form: DecisionId,
  id: string,
  card: Card | Refusal,
  { revision, typed = {} }: FormOptions,
): Promise<Reply> {
  if (isRefusal(card)) {
    // People who see a card in a channel may have nothing to do with the request.
    return refusedReply(
      context,
      await context.services.requestCommands.refused(caller, verbsInRefusalLog[form], card, id),
      null,
    );
  }
  const refusal = refusalBeforeForm(form, card, caller);
  if (refusal !== undefined) {
    const recorded = await context.services.requestCommands.refused(
      caller,
      verbsInRefusalLog[form],
      refusal,
      id,
    );
    return refusedReply(context, recorded, card);
  }
  if (canStillAct(form, card, caller)) {
    return { kind: "dialog", dialog: decisionForm(form, card, revision ?? card.request.revision, typed) };
  }
  const { status } = cardText(card);
  return { kind: "card", lead: [["Nothing was changed. Current status: ", ...status]], card };
}

/** The names of the actions in recorded refusals. */
const verbsInRefusalLog: { readonly [Id in DecisionId]: string } = {
  deny: "deny",
  approve: "approve",
  approve_for_less: "approve",
  extend: "extend",
  revoke: "revoke",
  cancel: "cancel",
  justified: "review",
  not_justified: "review",
};

/** The refusal that submitting the form would get in any case, so that nobody types in vain. */
function refusalBeforeForm(form: DecisionId, { audience }: Card, caller: Caller): Refusal | undefined {
  const isOwn = audience === "requester";
  if (isOwn && form === "revoke" && !caller.roles.includes("admin")) {
    return refuse(
      "not_an_approver",
      "Your own access ends with I'm done, or with Cancel request before it starts.",
    );
  }
  if (isOwn && (form === "deny" || form === "approve" || form === "approve_for_less")) {
    return refuse("self_approval", "You cannot decide your own request; you can cancel it.");
  }
  if (isOwn && (form === "justified" || form === "not_justified")) {
    return refuse("not_a_reviewer", "You cannot review your own emergency access.");
  }
  return !isOwn && (form === "extend" || form === "cancel")
    ? refuse("not_requester", "Only the requester can do that.")
    : undefined;
}

/** Whether the request's status allows the action to at least one kind of reader. */
function canStillAct(form: DecisionId, { request, audience }: Card, caller: Caller): boolean {
  const { id } = caller.identity;
  if (form === "cancel") return actionsFor("requester", request, id).includes("cancel");
  const audiences = [audience, "requester", "approver", "reviewer"] as const;
  return audiences.some((one) => actionsFor(one, request, id).includes(form));
}
