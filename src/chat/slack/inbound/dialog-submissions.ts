import type { ModalView } from "@slack/types";
import type { Chat } from "../../conversation/chat.ts";
import { parseDialogRef, type Dialog, type DialogRef, type DialogValues } from "../../conversation/dialog.ts";
import type { Reply } from "../../conversation/reply.ts";
import { withTyped } from "../../conversation/submit-form.ts";
import type { Caller } from "../../../service/ports/caller.ts";
import { ackWithinMs, type InboundDeps } from "./inbound-deps.ts";
import { replyTo, senderIdsOf } from "./resolve-sender.ts";
import { replyView } from "../views/replies.ts";
import { dialogCallback, dialogView, errorsAt, fieldAction, filled, slackOption } from "../views/dialogs.ts";
import { blockActions, suggestion, valuesOf, viewSubmission, type View } from "./payloads.ts";
import type { Line } from "../../../wording/line.ts";
import { resolveWithin } from "../../../service/async/resolve-within.ts";

/** Submitted forms, and the dry run of a form while it is filled in. */
export function listenToDialogs(deps: InboundDeps): void {
  listenToTyping(deps);
  const { app, chat, client } = deps;
  app.view({ callback_id: dialogCallback, type: "view_submission" }, async ({ ack, body }) => {
    const parsed = viewSubmission.safeParse(body);
    const form = parsed.success ? formOf(parsed.data.view) : undefined;
    if (!parsed.success || form === undefined) return ack({ response_action: "clear" });
    const { view } = parsed.data;
    const ids = senderIdsOf(parsed.data);
    const answer = async () => {
      const found = await replyTo(deps, ids, form.ref.id, (caller) =>
        chat.submit(caller, form.ref, form.values),
      );
      // Replies to unknown senders need this too: their text must not be lost with the form.
      return { ...found, reply: withTyped(found.reply, form.values) };
    };
    const answering = answer();
    const soon = await resolveWithin(answering, ackWithinMs);
    if (soon?.reply.kind === "errors") {
      const shown = Object.keys(view.state?.values ?? {});
      return ack({ response_action: "errors", errors: errorsAt(soon.reply.errors, shown) });
    }
    if (soon !== undefined) return ack({ response_action: "update", view: replyView(soon.reply) });
    await ack({ response_action: "update", view: replyView(waiting) });
    const { reply, caller } = await answering;
    if (view.id === undefined) return;
    const shown = await viewOf(chat, caller, form, reply);
    await client.views.update({ view_id: view.id, view: shown });
  });
}

/** The answer in place of the form; after errors the form again, with everything that was typed. */
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

/** Fields that search their options while one types, and the dry run of a form that is being filled in. */
function listenToTyping(deps: InboundDeps): void {
  const { app, chat, client, people } = deps;
  const isStillNewest = createNewest(typingPauseMs);
  app.options(fieldAction, async ({ ack, body }) => {
    const parsed = suggestion.safeParse(body);
    if (!parsed.success) return ack({ options: [] });
    const sender = await people.senderOf(senderIdsOf(parsed.data), "cached");
    if (sender.kind !== "known") return ack({ options: [] });
    const options = await chat.catalogOptions(sender.caller, parsed.data.value);
    await ack({ options: options.slice(0, 100).map(slackOption) });
  });
  app.action(fieldAction, async ({ ack, body }) => {
    await ack();
    const parsed = blockActions.safeParse(body);
    const view = parsed.success ? parsed.data.view : undefined;
    const form = view === undefined ? undefined : formOf(view);
    if (!parsed.success || view?.id === undefined || form === undefined) return;
    if (!(await isStillNewest(view.id))) return;
    const sender = await people.senderOf(senderIdsOf(parsed.data), "cached");
    if (sender.kind !== "known") return;
    const dialog = await emptyForm(chat, sender.caller, form.ref);
    if (dialog === undefined) return;
    const { lines } = await chat.preview(sender.caller, form.ref, form.values);
    const next = dialogView(filled(dialog, form.values), lines);
    try {
      // With the view's hash Slack rejects a late preview, so it cannot overwrite newer input.
      await client.views.update({
        view_id: view.id,
        view: next,
        ...(view.hash !== undefined && { hash: view.hash }),
      });
    } catch {
      // The person typed on, so a newer preview follows.
    }
  });
}

/** Slack sends every keystroke; the dry run waits for a pause this long. */
const typingPauseMs = 250;

/** Resolves after `ms`, with whether no later call for the same id came in between. */
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

/** The form a dry run is shown in. Slack keeps the typed values by the ids of the fields. */
async function emptyForm(chat: Chat, caller: Caller, { id }: DialogRef): Promise<Dialog | undefined> {
  if (id === "request") return chat.form(caller);
  const reply = id === "break_glass" ? await chat.menu(caller, "break_glass") : undefined;
  return reply?.kind === "dialog" ? reply.dialog : undefined;
}
