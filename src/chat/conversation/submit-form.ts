import { assertNever } from "../../core/values/assert.ts";
import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { CommandResult } from "../../service/request-commands.ts";
import type { RequestView } from "../../service/views/request-view.ts";
import type { Line } from "../../wording/card-text.ts";
import { outcomeReply, refusedReply, textReply } from "./reply-builders.ts";
import { errorAt, submitRequest } from "./submit-request.ts";
import type { DecisionId } from "./decision-forms.ts";
import type { DialogRef, DialogValues } from "./dialog.ts";
import type { ChatContext } from "./chat-context.ts";
import { approve, cancel } from "./button-actions.ts";
import { durationOf, textOf, wordsOf } from "./form-values.ts";
import type { FieldError, Reply } from "./reply.ts";
import { sshKeyField, submitSshKey } from "./ssh-key-form.ts";

/**
 * Submits a form. Errors are shown at their fields. A form that came too late gets the current state. When it can be
 * submitted again in a moment, it stays open, so that nothing typed is lost.
 */
export async function submit(
  context: ChatContext,
  caller: Caller,
  ref: DialogRef,
  values: DialogValues,
): Promise<Reply> {
  const reply = await submitOnce(context, caller, ref, values);
  const field = firstFields[ref.id];
  const inForm = atField(context, reply, {
    store_unavailable: field,
    rate_limited: field,
    clock_behind: field,
    audit_head_differs: field,
  });
  return withTyped(inForm, values);
}

/** Adds the typed text to a refusal, so that people can copy it from the closed form. */
export function withTyped(reply: Reply, values: DialogValues): Reply {
  if (reply.kind !== "refused") return reply;
  const typed = typedFields.flatMap(({ field, label }) => {
    const text = textOf(values, field);
    return text === "" ? [] : [{ label, text }];
  });
  return typed.length === 0 ? reply : { ...reply, typed };
}

/** The fields that take effort to write again. */
const typedFields = [
  { field: "words", label: "You typed" },
  { field: "reason", label: "You typed" },
  { field: "scopes", label: "Scopes you typed" },
  { field: sshKeyField, label: "Key you typed" },
] as const;

/** The field that shows errors about the whole form. */
export const firstFields: { readonly [Id in DialogRef["id"]]: string } = {
  request: "catalog",
  break_glass: "catalog",
  deny: "words",
  approve: "words",
  approve_for_less: "duration",
  extend: "duration",
  revoke: "words",
  cancel: "words",
  justified: "words",
  not_justified: "words",
  link: "identity",
  show_credential: sshKeyField,
  replace_credential: sshKeyField,
};

async function submitOnce(
  context: ChatContext,
  caller: Caller,
  ref: DialogRef,
  values: DialogValues,
): Promise<Reply> {
  switch (ref.id) {
    case "request":
    case "break_glass":
      return submitRequest(context, caller, values, ref.id === "break_glass");
    case "link":
      return submitLink(context, caller, ref, values);
    case "show_credential":
    case "replace_credential":
      return ref.requestId === null
        ? refusedReply(context, refuse("malformed", "The form does not say which request it is about."), null)
        : submitSshKey(context, caller, { id: ref.id, requestId: ref.requestId }, values);
    case "deny":
    case "approve":
    case "approve_for_less":
    case "extend":
    case "revoke":
    case "cancel":
    case "justified":
    case "not_justified":
      return ref.requestId === null
        ? refusedReply(context, refuse("malformed", "The form does not say which request it is about."), null)
        : submitDecision(context, caller, { ...ref, id: ref.id, requestId: ref.requestId }, values);
    default:
      return assertNever(ref.id);
  }
}

interface DecisionRef {
  readonly id: DecisionId;
  readonly requestId: string;
  readonly revision: string | null;
}

async function submitDecision(
  context: ChatContext,
  caller: Caller,
  { id: form, requestId: id, revision }: DecisionRef,
  values: DialogValues,
): Promise<Reply> {
  const { requestCommands } = context.services;
  if (form === "cancel") {
    const reason = textOf(values, "words");
    return cancel(context, caller, id, reason === "" ? undefined : reason);
  }
  if (form === "approve") return approveAsShown(context, caller, { id, revision }, values);
  if (form === "approve_for_less") return approveForLess(context, caller, { id, revision }, values);
  if (form === "extend") return extend(context, caller, id, values);
  const words = wordsOf(values, "words", whyNeeded[form]);
  if (typeof words === "object") return { kind: "errors", errors: [words] };
  switch (form) {
    case "deny":
      return replyWithLead(
        context,
        caller,
        id,
        await requestCommands.deny(caller, id, words),
        "You denied it; the requester is notified of your reason.",
      );
    case "revoke":
      return replyWithLead(
        context,
        caller,
        id,
        await requestCommands.revoke(caller, id, words),
        "You revoked it; it is over.",
      );
    case "justified":
    case "not_justified": {
      const outcome = form === "justified" ? "justified" : "unjustified";
      const reviewed = await requestCommands.review(caller, id, { outcome, comment: words });
      return replyWithLead(context, caller, id, reviewed, "Your judgement is recorded.");
    }
    default:
      return assertNever(form);
  }
}

const whyNeeded = {
  deny: "Say why: the requester reads it.",
  revoke: "Say why: the person who has the access reads it.",
  justified: "Say what you checked; it is recorded.",
  not_justified: "Say why; it is recorded.",
} as const;

function replyWithLead(
  context: ChatContext,
  caller: Caller,
  id: string,
  outcome: CommandResult | Refusal,
  lead: string,
): Promise<Reply> {
  return outcomeReply(context, caller, id, outcome, () => [[lead]]);
}

async function approveAsShown(
  context: ChatContext,
  caller: Caller,
  { id, revision }: { readonly id: string; readonly revision: string | null },
  values: DialogValues,
): Promise<Reply> {
  const comment = textOf(values, "words");
  const reply = await approve(context, caller, id, {
    ...(comment !== "" && { comment }),
    ...(revision !== null && { revision }),
  });
  return atField(context, reply, { invalid_body: "words" });
}

async function approveForLess(
  context: ChatContext,
  caller: Caller,
  { id, revision }: { readonly id: string; readonly revision: string | null },
  values: DialogValues,
): Promise<Reply> {
  const duration = durationOf(values, "duration");
  if (typeof duration === "object") return { kind: "errors", errors: [duration] };
  const comment = textOf(values, "words");
  const reply = await approve(context, caller, id, {
    duration,
    ...(comment !== "" && { comment }),
    ...(revision !== null && { revision }),
  });
  return atField(context, reply, { invalid_duration: "duration", invalid_body: "words" });
}

async function extend(
  context: ChatContext,
  caller: Caller,
  id: string,
  values: DialogValues,
): Promise<Reply> {
  const duration = durationOf(values, "duration");
  const reason = wordsOf(values, "words", "Say why you need more time; approvers decide on this.");
  const errors = [duration, reason].filter((value): value is FieldError => typeof value === "object");
  if (typeof duration === "object" || typeof reason === "object") return { kind: "errors", errors };
  const reply = await extendBy(context, caller, id, { duration, reason });
  return atField(context, reply, {
    invalid_duration: "duration",
    duration_exceeds_policy: "duration",
    policy_denied: "duration",
    no_approvers: "duration",
    limit_reached: "duration",
    invalid_body: "words",
  });
}

/** Requests more time. The reply is the card of the extension, or of the access with its new end. */
export async function extendBy(
  context: ChatContext,
  caller: Caller,
  id: string,
  more: { readonly duration: string; readonly reason: string },
): Promise<Reply> {
  const outcome = await context.services.requestCommands.extend(caller, id, more);
  return outcomeReply(context, caller, id, outcome, extendedLines);
}

function extendedLines({ status }: RequestView): readonly Line[] {
  return status === "COMPLETED"
    ? [["Approved at once: the time is added, and your credential stays the same."]]
    : [["More time is asked for. Your access goes on until its end meanwhile."]];
}

/** Turns a refusal about a typed value into an error at its field, so that the form stays open. */
function atField(
  context: ChatContext,
  reply: Reply,
  fields: { readonly [Code in Refusal["refused"]]?: string },
): Reply {
  if (reply.kind !== "refused") return reply;
  const field = fields[reply.refusal.refused];
  return field === undefined ? reply : { kind: "errors", errors: [errorAt(context, reply.refusal, field)] };
}

async function submitLink(
  context: ChatContext,
  caller: Caller,
  { account }: DialogRef,
  values: DialogValues,
): Promise<Reply> {
  const named = textOf(values, "identity");
  if (named === "") {
    return { kind: "errors", errors: [{ field: "identity", message: "Say whose account it is." }] };
  }
  if (account === null) {
    return refusedReply(
      context,
      refuse("malformed", "The form does not say which account it is about."),
      null,
    );
  }
  const linked = await context.accountLinks.link(caller, account, named);
  if (!isRefusal(linked)) return textReply(["Linked to ", { userText: linked.name }, ` (${linked.id}).`]);
  const isAboutField = linked.refused === "identity_unknown" || linked.refused === "identity_inactive";
  return isAboutField
    ? { kind: "errors", errors: [errorAt(context, linked, "identity")] }
    : refusedReply(context, linked, null);
}
