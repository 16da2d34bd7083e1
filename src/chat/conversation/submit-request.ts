import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { RequestInput } from "../../service/ports/request-input.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { RequestView } from "../../service/views/request-view.ts";
import { namesLine, type Line } from "../../wording/line.ts";
import type { TypedRequest } from "../../wording/parse-command.ts";
import { refusalText } from "../../wording/refusal-text.ts";
import { outcomeReply, prefixOf, refusedReply } from "./reply-builders.ts";
import type { DialogValues } from "./dialog.ts";
import type { ChatContext } from "./chat-context.ts";
import {
  breakGlassForm,
  fieldOf,
  pickedNames,
  plainText,
  readForm,
  requestForm,
  type Prefill,
} from "./request-form.ts";
import type { FieldError, Reply } from "./reply.ts";

/** Runs the command `request`. If something is missing, it opens the form with the typed values. */
export async function submitTypedRequest(
  context: ChatContext,
  caller: Caller,
  typed: TypedRequest,
): Promise<Reply> {
  const { scopes, duration, reason, ticket } = typed;
  if (scopes.length === 0 || duration === null || reason === null) {
    return { kind: "dialog", dialog: requestForm(typed) };
  }
  const input: RequestInput = {
    identityId: caller.identity.id,
    scopes,
    duration,
    reason,
    ...(ticket !== null && { ticket }),
  };
  const outcome = await context.services.requestCommands.ask(caller, input);
  // The form asks for the ticket and keeps everything that was typed.
  if (isRefusal(outcome) && outcome.refused === "ticket_required") {
    return {
      kind: "dialog",
      dialog: { ...requestForm(typed), intro: refusalText(outcome, prefixOf(context)) },
    };
  }
  return outcomeReply(context, caller, "", outcome, askedLines);
}

/** Opens the break-glass form, even if nothing is missing, because it first says what is recorded. */
export async function openBreakGlass(context: ChatContext, caller: Caller, prefill: Prefill): Promise<Reply> {
  const { requestCommands, breakGlassTerms } = context.services;
  const terms = await breakGlassTerms.terms(caller);
  if (terms.isAllowed) return { kind: "dialog", dialog: breakGlassForm(terms, prefill) };
  const refusal = refuse(
    "break_glass_not_allowed",
    "Break-glass is for the people the configuration allows, and you are not one of them.",
  );
  return refusedReply(
    context,
    await requestCommands.refused(caller, "ask", refusal, caller.identity.id),
    null,
  );
}

/** Submits the form. The reply is the request's card, or errors at the fields. */
export async function submitRequest(
  context: ChatContext,
  caller: Caller,
  values: DialogValues,
  breakGlass: boolean,
): Promise<Reply> {
  const entries = await context.services.catalogSearch.named(pickedNames(values));
  const { input, errors } = readForm(caller, values, entries, breakGlass);
  if (errors.length > 0) return { kind: "errors", errors };
  const outcome = await context.services.requestCommands.ask(caller, input);
  if (isRefusal(outcome)) return { kind: "errors", errors: [errorAt(context, outcome)] };
  return outcomeReply(context, caller, outcome.request.id, outcome, askedLines);
}

/** A refusal as an error at its field. */
export function errorAt(
  context: ChatContext,
  refusal: Refusal,
  field: string = fieldOf(refusal),
): FieldError {
  return { field, message: plainText(refusalText(refusal, prefixOf(context))) };
}

/** Says who was asked and until when, or that the credential can be shown. */
function askedLines(request: RequestView): readonly Line[] {
  if (request.breakGlass) {
    return [["People are alerted now. Press Show credential; the time begins then."]];
  }
  if (request.status === "APPROVED") {
    return [["Approved at once. Press Show credential when you need it; the time begins then."]];
  }
  const { approvers, approvalDeadline } = request;
  const names = namesLine(approvers.filter(({ status }) => status === "PENDING").map(({ name }) => name));
  return [
    [
      ...(names.length === 0 ? ["Sent"] : ["Asked: ", ...names]),
      ...(approvalDeadline === null ? [] : [", until ", { time: approvalDeadline }]),
      ". This changes here when somebody decides.",
    ],
  ];
}
