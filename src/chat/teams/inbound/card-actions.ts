import { z } from "zod";
import { isRefusal } from "../../../core/values/refusals.ts";
import { verbPartsOf, type ActionPayload } from "./action-payload.ts";
import { malformedReply, refusalReply, replyToUnknown } from "./refusal-replies.ts";
import type { Chat } from "../../conversation/chat.ts";
import { isSecretRef } from "../../conversation/ssh-key-form.ts";
import { withTyped } from "../../conversation/submit-form.ts";
import { parseDialogRef, type Dialog, type DialogRef } from "../../conversation/dialog.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { CardService } from "../../../service/requests/card-source.ts";
import { actionLabels, menuLabels } from "../../../wording/labels.ts";
import { isSecret, openVerb, type CardPlacement } from "../views/buttons.ts";
import { emptyForm, typedValues, type FormState } from "../views/dialogs.ts";
import type { Sender } from "../people/people.ts";

const accountSchema = z.strictObject({
  surface: z.enum(["slack", "teams"]),
  team: z.string().max(100),
  user: z.string().max(100),
});

/** The reply, and for a form what was typed so far. */
export interface ActionResult {
  readonly reply: Reply;
  readonly form: FormState;
}

export interface ActionDeps {
  readonly chat: Chat;
  readonly cards: CardService;
}

/** Runs the action of a pressed button. `placement`: where the answer is shown. */
export async function runAction(
  deps: ActionDeps,
  sender: Sender,
  payload: ActionPayload,
  placement: CardPlacement,
): Promise<ActionResult> {
  if (sender.kind !== "known") {
    const reply = await replyToUnknown(deps.chat, sender, payload);
    // The text of unknown senders must not be lost with the form either.
    return resultOf(payload.ref === undefined ? reply : withTyped(reply, typedValues(payload)));
  }
  const { caller } = sender;
  const { kind, name } = verbPartsOf(payload);
  if (kind === "form") return runForm(deps, caller, payload, { isPreview: name === "preview", placement });
  const reply = await replyTo(deps, caller, payload, placement);
  return reply.kind === "dialog"
    ? { reply, form: await formOf(deps.chat, caller, reply.dialog, {}) }
    : resultOf(reply);
}

async function replyTo(
  deps: ActionDeps,
  caller: Caller,
  payload: ActionPayload,
  placement: CardPlacement,
): Promise<Reply> {
  const { chat } = deps;
  const { kind, name, page } = verbPartsOf(payload);
  if (kind === "menu" && isKeyOf(menuLabels, name)) return chat.menu(caller, name, page);
  if (kind === "link") return linkReply(chat, caller, payload);
  const { request: requestId, revision = "" } = payload;
  if (kind !== "card" || requestId === undefined) return malformedReply();
  if (name === "refresh" || payload.verb === openVerb) return freshCard(deps, caller, requestId);
  if (!isKeyOf(actionLabels, name)) return malformedReply();
  // A message cannot show a secret, so none is created.
  if (isSecret(name) && placement === "message") return freshCard(deps, caller, requestId);
  return chat.press(caller, name, { requestId, revision });
}

/** The current card of a request, without any action. */
async function freshCard({ cards }: ActionDeps, caller: Caller, requestId: string): Promise<Reply> {
  const card = await cards.cardOf(caller, requestId);
  return isRefusal(card) ? refusalReply(card) : { kind: "card", lead: [], card };
}

async function linkReply(chat: Chat, caller: Caller, { account, identity }: ActionPayload): Promise<Reply> {
  const read = accountSchema.safeParse(jsonOf(account ?? ""));
  return read.success ? chat.link(caller, read.data, identity ?? null) : malformedReply();
}

/** Submits a form or previews it. Errors are shown in the same form, with everything that was typed. */
async function runForm(
  deps: ActionDeps,
  caller: Caller,
  payload: ActionPayload,
  { isPreview, placement }: { readonly isPreview: boolean; readonly placement: CardPlacement },
): Promise<ActionResult> {
  const ref = parseDialogRef(payload.ref ?? "");
  if (ref === undefined) return resultOf(malformedReply());
  // Only a dialog can show the secret this form asks for, so none is created.
  if (isSecretRef(ref) && placement === "message") {
    return resultOf(await freshCard(deps, caller, ref.requestId ?? ""));
  }
  const { chat } = deps;
  const values = typedValues(payload);
  if (isPreview) {
    const { lines } = await chat.preview(caller, ref, values);
    return reopenForm(chat, caller, ref, { values, preview: lines });
  }
  const reply = await chat.submit(caller, ref, values);
  return reply.kind === "errors"
    ? reopenForm(chat, caller, ref, { values, errors: reply.errors })
    : resultOf(reply);
}

async function reopenForm(
  chat: Chat,
  caller: Caller,
  ref: DialogRef,
  state: Partial<FormState>,
): Promise<ActionResult> {
  const reply = await chat.reopen(caller, ref);
  return reply.kind === "dialog"
    ? { reply, form: await formOf(chat, caller, reply.dialog, state) }
    : resultOf(withTyped(reply, state.values ?? {}));
}

/** The state of a form, with the first entries of the catalog if it has a catalog field. */
export async function formOf(
  chat: Chat,
  caller: Caller,
  dialog: Dialog,
  state: Partial<FormState>,
): Promise<FormState> {
  const asksCatalog = dialog.fields.some(({ kind }) => kind === "catalog");
  const catalog = asksCatalog ? await chat.catalogOptions(caller, "") : [];
  return { ...emptyForm, ...state, catalog };
}

/** A reply without a form. */
export function resultOf(reply: Reply): ActionResult {
  return { reply, form: emptyForm };
}

function isKeyOf<T extends object>(table: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(table, name);
}

function jsonOf(text: string): unknown {
  try {
    const read: unknown = JSON.parse(text);
    return read;
  } catch {
    return undefined;
  }
}
