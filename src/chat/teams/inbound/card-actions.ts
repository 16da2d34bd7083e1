import { z } from "zod";
import { isRefusal } from "../../../core/values/refusals.ts";
import type { Chat } from "../../conversation/chat.ts";
import { isSecretRef } from "../../conversation/ssh-key-form.ts";
import { withTyped } from "../../conversation/submit-form.ts";
import { parseDialogRef, type Dialog, type DialogRef } from "../../conversation/dialog.ts";
import type { Reply } from "../../conversation/reply.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import type { CardService } from "../../../service/messaging/card-source.ts";
import { refusalText } from "../../../wording/refusal-text.ts";
import { actionLabels, menuLabels, pageOf } from "../../../wording/labels.ts";
import { isSecret, openVerb, type CardContext } from "../views/buttons.ts";
import { emptyForm, typedValues, type FormState } from "../views/dialogs.ts";
import type { Sender } from "../people/people.ts";

/** What a press brings: a claim about what its reader saw, and nothing that could decide anything. */
const actionPayloadSchema = z.looseObject({
  verb: z.string().max(60),
  request: z.string().max(200).optional(),
  revision: z.string().max(200).optional(),
  account: z.string().max(600).optional(),
  identity: z.string().max(200).optional(),
  ref: z.string().max(800).optional(),
});
export type ActionPayload = z.infer<typeof actionPayloadSchema>;

const accountSchema = z.strictObject({
  surface: z.enum(["slack", "teams"]),
  team: z.string().max(100),
  user: z.string().max(100),
});

/** What is answered, and for a form what was typed so far. */
export interface ActionResult {
  readonly reply: Reply;
  readonly form: FormState;
}

export function parseActionPayload(data: unknown): ActionPayload | undefined {
  return actionPayloadSchema.safeParse(data).data;
}

/** The form that a message extension opens. */
export const openForm: ActionPayload = { verb: "menu:request_access" };

export interface ActionDeps {
  readonly chat: Chat;
  readonly cards: CardService;
}

/** Carries out a press of whoever it was. `place`: where the answer will be seen. */
export async function runAction(
  deps: ActionDeps,
  sender: Sender,
  payload: ActionPayload,
  cardContext: CardContext,
): Promise<ActionResult> {
  if (sender.kind !== "known") {
    const reply = await replyToUnlinked(deps.chat, sender, payload);
    // Also where Teams could not say who somebody is: what they typed must not go with the form.
    return plainOutcome(payload.ref === undefined ? reply : withTyped(reply, typedValues(payload)));
  }
  const { caller } = sender;
  const { kind, name } = verbOf(payload);
  if (kind === "form")
    return formOutcome(deps, caller, payload, { isPreview: name === "preview", cardContext });
  const reply = await replyTo(deps, caller, payload, cardContext);
  return reply.kind === "dialog"
    ? { reply, form: await formOf(deps.chat, caller, reply.dialog, {}) }
    : plainOutcome(reply);
}

/** Of somebody who cannot be let in; only asking to be linked leads anywhere. */
export async function replyToUnlinked(
  chat: Chat,
  sender: Exclude<Sender, { kind: "known" }>,
  input: ActionPayload | string,
): Promise<Reply> {
  if (sender.kind === "refused") return refused(sender.refusal);
  const asks = typeof input === "string" ? input : input.verb === "menu:ask_for_link" ? "link" : "";
  return chat.runUnlinked(sender.unlinkedUser, asks, sender.refusal);
}

async function replyTo(
  deps: ActionDeps,
  caller: Caller,
  payload: ActionPayload,
  cardContext: CardContext,
): Promise<Reply> {
  const { chat } = deps;
  const { kind, name, page } = verbOf(payload);
  if (kind === "menu" && isKeyOf(menuLabels, name)) return chat.menu(caller, name, page);
  if (kind === "link") return linkReply(chat, caller, payload);
  const { request: requestId, revision = "" } = payload;
  if (kind !== "card" || requestId === undefined) return malformed();
  if (name === "refresh" || payload.verb === openVerb) return freshCard(deps, caller, requestId);
  if (!isKeyOf(actionLabels, name)) return malformed();
  // The press would make the secret, and there is nowhere to show it: nothing is done.
  if (isSecret(name) && cardContext === "message") return freshCard(deps, caller, requestId);
  return chat.press(caller, name, { requestId, revision });
}

function verbOf({ verb }: ActionPayload): {
  readonly kind: string;
  readonly name: string;
  readonly page: number;
} {
  const [kind = "", name = "", page] = verb.split(":");
  return { kind, name, page: pageOf(page) };
}

/** The truth about a request, and nothing done. */
async function freshCard({ cards }: ActionDeps, caller: Caller, requestId: string): Promise<Reply> {
  const card = await cards.cardOf(caller, requestId);
  return isRefusal(card) ? refused(card) : { kind: "card", lead: [], card };
}

async function linkReply(chat: Chat, caller: Caller, { account, identity }: ActionPayload): Promise<Reply> {
  const read = accountSchema.safeParse(jsonOf(account ?? ""));
  return read.success ? chat.link(caller, read.data, identity ?? null) : malformed();
}

/** A form sent, or tried out. What does not fit is shown in the form again, with everything that was typed. */
async function formOutcome(
  deps: ActionDeps,
  caller: Caller,
  payload: ActionPayload,
  { isPreview, cardContext }: { readonly isPreview: boolean; readonly cardContext: CardContext },
): Promise<ActionResult> {
  const ref = parseDialogRef(payload.ref ?? "");
  if (ref === undefined) return plainOutcome(malformed());
  // Its answer would be the secret, and outside of a dialog there is nowhere to show it: nothing is done.
  if (isSecretRef(ref) && cardContext === "message") {
    return plainOutcome(await freshCard(deps, caller, ref.requestId ?? ""));
  }
  const { chat } = deps;
  const values = typedValues(payload);
  if (isPreview) {
    const { lines } = await chat.preview(caller, ref, values);
    return openedAgain(chat, caller, ref, { values, preview: lines });
  }
  const reply = await chat.submit(caller, ref, values);
  return reply.kind === "errors"
    ? openedAgain(chat, caller, ref, { values, errors: reply.errors })
    : plainOutcome(reply);
}

async function openedAgain(
  chat: Chat,
  caller: Caller,
  ref: DialogRef,
  state: Partial<FormState>,
): Promise<ActionResult> {
  const reply = await chat.reopen(caller, ref);
  return reply.kind === "dialog"
    ? { reply, form: await formOf(chat, caller, reply.dialog, state) }
    : plainOutcome(withTyped(reply, state.values ?? {}));
}

/** A form needs the catalog's first entries where it asks for some. */
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

function plainOutcome(reply: Reply): ActionResult {
  return { reply, form: emptyForm };
}

export function refused(refusal: Extract<Reply, { kind: "refused" }>["refusal"]): Reply {
  return { kind: "refused", refusal, lines: refusalText(refusal, ""), card: null, buttons: [] };
}

function malformed(): Reply {
  return refused({ refused: "malformed", detail: "This button is not one of ours." });
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
