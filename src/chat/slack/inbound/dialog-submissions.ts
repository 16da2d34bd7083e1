import type { ModalView } from "@slack/types";
import type { Chat } from "../../conversation/chat.ts";
import { parseDialogRef, type Dialog, type DialogRef, type DialogValues } from "../../conversation/dialog.ts";
import type { Reply } from "../../conversation/reply.ts";
import { withTyped } from "../../conversation/submit-form.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import { timeoutMs, replyTo, senderOf, type InboundDeps } from "./resolve-sender.ts";
import { replyView } from "../views/replies.ts";
import { dialogCallback, dialogView, errorsAt, fieldAction, filled, slackOption } from "../views/dialogs.ts";
import { blockActions, suggestion, valuesOf, viewSubmission, type View } from "./payloads.ts";
import type { Line } from "../../../wording/line.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

/** Forms: sent, and tried out while they are filled. */
export function listenToForms(deps: InboundDeps): void {
  listenToTyping(deps);
  const { app, chat, client } = deps;
  app.view({ callback_id: dialogCallback, type: "view_submission" }, async ({ ack, body }) => {
    const parsed = viewSubmission.safeParse(body);
    const form = parsed.success ? formOf(parsed.data.view) : undefined;
    if (!parsed.success || form === undefined) return ack({ response_action: "clear" });
    const { view } = parsed.data;
    const sender = senderOf(parsed.data);
    const answer = async () => {
      const found = await replyTo(deps, sender, form.ref.id, (caller) =>
        chat.submit(caller, form.ref, form.values),
      );
      // Also where it could not be said who somebody is: what they typed must not go with the form.
      return { ...found, reply: withTyped(found.reply, form.values) };
    };
    const working = answer();
    const soon = await resolveWithin(working, timeoutMs);
    if (soon?.reply.kind === "errors") {
      const shown = Object.keys(view.state?.values ?? {});
      return ack({ response_action: "errors", errors: errorsAt(soon.reply.errors, shown) });
    }
    if (soon !== undefined) return ack({ response_action: "update", view: replyView(soon.reply) });
    await ack({ response_action: "update", view: replyView(waiting) });
    const { reply, caller } = await working;
    if (view.id === undefined) return;
    const shown = await viewOf(chat, caller, form, reply);
    await client.views.update({ view_id: view.id, view: shown });
  });
}

/** The answer in place of the form; where the form did not fit, the form again with everything that was typed. */
async function viewOf(
  chat: Chat,
  caller: Caller | undefined,
  { ref, values }: Form,
  reply: Reply,
): Promise<ModalView> {
  if (reply.kind !== "errors" || caller === undefined) return replyView(reply);
  const again = await chat.reopen(caller, ref);
  if (again.kind !== "dialog") return replyView(withTyped(again, values));
  const problems = reply.errors.map(({ message }): Line => [{ literal: message }]);
  return dialogView(filled(again.dialog, values), problems);
}

const waiting: Reply = { kind: "text", lines: [["This takes a moment…"]], buttons: [] };

interface Form {
  readonly ref: DialogRef;
  readonly values: DialogValues;
}

function formOf(view: View): Form | undefined {
  const ref = parseDialogRef(view.private_metadata);
  return ref === undefined ? undefined : { ref, values: valuesOf(view) };
}

/** Fields whose entries are found by typing, and the dry run of a form that is being filled. */
function listenToTyping(deps: InboundDeps): void {
  const { app, chat, client, known } = deps;
  const isStillNewest = createNewest(typingMs);
  app.options(fieldAction, async ({ ack, body }) => {
    const parsed = suggestion.safeParse(body);
    if (!parsed.success) return ack({ options: [] });
    const found = await known(senderOf(parsed.data), "cached");
    if (!("caller" in found)) return ack({ options: [] });
    const options = await chat.catalogOptions(found.caller, parsed.data.value);
    await ack({ options: options.slice(0, 100).map(slackOption) });
  });
  app.action(fieldAction, async ({ ack, body }) => {
    await ack();
    const parsed = blockActions.safeParse(body);
    const view = parsed.success ? parsed.data.view : undefined;
    const form = view === undefined ? undefined : formOf(view);
    if (!parsed.success || view?.id === undefined || form === undefined) return;
    if (!(await isStillNewest(view.id))) return;
    const found = await known(senderOf(parsed.data), "cached");
    if (!("caller" in found)) return;
    const dialog = await emptyForm(chat, found.caller, form.ref);
    if (dialog === undefined) return;
    const { lines } = await chat.preview(found.caller, form.ref, form.values);
    const next = dialogView(filled(dialog, form.values), lines);
    try {
      // The hash keeps a preview that is late from taking away what was typed since.
      await client.views.update({
        view_id: view.id,
        view: next,
        ...(view.hash !== undefined && { hash: view.hash }),
      });
    } catch {
      // Somebody typed on: the next one is under way.
    }
  });
}

/** How long a form has to stand still before it is tried out; each letter is heard of. */
const typingMs = 250;

/** Answers, a moment later, whether nothing more has been heard of the same thing meanwhile. */
function createNewest(ms: number): (id: string) => Promise<boolean> {
  const newest = new Map<string, symbol>();
  return async (id) => {
    const mine = Symbol(id);
    newest.set(id, mine);
    await new Promise((passed) => {
      setTimeout(passed, ms);
    });
    const isNewest = newest.get(id) === mine;
    if (isNewest) newest.delete(id);
    return isNewest;
  };
}

/** The form that is tried out while it is filled; Slack keeps what was typed, by the ids of the fields. */
async function emptyForm(chat: Chat, caller: Caller, { id }: DialogRef): Promise<Dialog | undefined> {
  if (id === "request") return chat.form(caller);
  const reply = id === "break_glass" ? await chat.menu(caller, "break_glass") : undefined;
  return reply?.kind === "dialog" ? reply.dialog : undefined;
}
