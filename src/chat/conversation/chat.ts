import { isRefusal, refuse, type Refusal } from "../../core/values/refusals.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { CardAction } from "../../service/views/card.ts";
import { createTokenRedactor } from "../../service/guards/redact-tokens.ts";
import type { ChatAccount } from "../../service/messaging/messenger.ts";
import { StoreUnavailable } from "../../service/ports/store.ts";
import type { MenuAction } from "../../wording/labels.ts";
import { refusalText } from "../../wording/refusal-text.ts";
import { prefixOf, refusedReply, textReply } from "./reply-builders.ts";
import { runMenu, runTyped } from "./run-command.ts";
import { welcomeReply } from "./welcome-message.ts";
import { errorAt } from "./submit-request.ts";
import { linkForm } from "./decision-forms.ts";
import type { Dialog, DialogRef, DialogValues, Option } from "./dialog.ts";
import { homeOf, type Home } from "./home.ts";
import type { ChatContext } from "./chat-context.ts";
import { openForm, press, type PressedButton } from "./button-actions.ts";
import { previewOf, type Preview } from "./request-preview.ts";
import { catalogOption, requestForm } from "./request-form.ts";
import type { Reply } from "./reply.ts";
import { sshKeyForm } from "./ssh-key-form.ts";
import { runUnlinked, type UnlinkedUser } from "./unlinked-users.ts";
import { firstFields, submit } from "./submit-form.ts";

export type { ChatContext, Preview, UnlinkedUser };

/**
 * The conversation, which is the same on every platform. The surface has authenticated and linked the caller, and shows
 * every reply to them alone. Refusals and an unavailable store are replies, never exceptions.
 */
export interface Chat {
  /** Runs the text typed after `/jit`. */
  run(caller: Caller, text: string): Promise<Reply>;
  /**
   * Runs the text of somebody whom `AccountLinks.callerOf` refused; `why` is that refusal. The button *Ask to be linked*
   * counts as the text `link`.
   */
  runUnlinked(unlinkedUser: UnlinkedUser, text: string, why: Refusal): Promise<Reply>;
  /** The message to somebody who has just added the app. */
  welcome(caller: Caller): Reply;
  /** Runs the button of a card. */
  press(caller: Caller, action: CardAction, about: PressedButton): Promise<Reply>;
  /** Runs a button that starts something new: a form, a page of the home, a list. */
  menu(caller: Caller, action: MenuAction, page?: number): Promise<Reply>;
  /** Links an account for an administrator. `identityId` null: opens the form that asks for it. */
  link(caller: Caller, account: ChatAccount, identityId: string | null): Promise<Reply>;
  home(caller: Caller): Promise<Home | Refusal>;
  /** The empty request form, for a shortcut or message extension. */
  form(caller: Caller): Promise<Dialog>;
  /** Opens the same form again, or says why it can no longer be submitted. */
  reopen(caller: Caller, ref: DialogRef): Promise<Reply>;
  /** The dry run of a form with `hasPreview`: what submitting it would do. Stores nothing. */
  preview(caller: Caller, ref: DialogRef, values: DialogValues): Promise<Preview>;
  /** Catalog entries that match the typed text and that no policy denies to this person, at most 100. */
  catalogOptions(caller: Caller, typed: string): Promise<readonly Option[]>;
  /** Submits a form. The reply is the result, or `errors` at its fields. */
  submit(caller: Caller, ref: DialogRef, values: DialogValues): Promise<Reply>;
}

/** The platforms show no longer list. */
const catalogOptionsMax = 100;
/** Slack accepts no longer value. */
const optionValueMax = 150;

export function createChat(context: ChatContext): Chat {
  const orRefusal = (reply: Promise<Reply>): Promise<Reply> =>
    reply.catch((fault: unknown) => refusedReply(context, refusalOf(fault), null));
  // A token in any typed text is revoked, and the text is read, stored and repeated without it.
  const redactTokens = createTokenRedactor(context.services.tokenChecks.report);
  const redactValues = async (values: DialogValues): Promise<DialogValues> => {
    const redacted = Object.entries(values).map(async ([field, value]) => {
      const text =
        typeof value === "string" ? await redactTokens(value) : await Promise.all(value.map(redactTokens));
      return [field, text] as const;
    });
    return Object.fromEntries(await Promise.all(redacted));
  };
  return {
    run: (caller, text) => orRefusal(redactTokens(text).then((typed) => runTyped(context, caller, typed))),
    runUnlinked: (unlinkedUser, text, why) => orRefusal(runUnlinked(context, unlinkedUser, text, why)),
    welcome: (caller) => welcomeReply(context, caller),
    press: (caller, action, about) => orRefusal(press(context, caller, action, about)),
    menu: (caller, action, page) => orRefusal(runMenu(context, caller, action, page)),
    link: (caller, account, identityId) => orRefusal(link(context, caller, account, identityId)),
    home: (caller) => homeOf(context, caller).catch(refusalOf),
    form: async () => requestForm(),
    reopen: (caller, ref) => orRefusal(reopen(context, caller, ref)),
    async preview(caller, ref, values) {
      if (ref.id !== "request") return { outcome: "incomplete", lines: [] };
      return redactValues(values)
        .then((redacted) => previewOf(context, caller, redacted))
        .catch((fault: unknown) => ({
          outcome: "refused",
          lines: refusalText(refusalOf(fault), prefixOf(context)),
        }));
    },
    async catalogOptions(caller, typed) {
      const entries = await context.services.catalogSearch.search(caller, typed, catalogOptionsMax);
      return entries.map(catalogOption).filter((option) => option.value.length <= optionValueMax);
    },
    submit: (caller, ref, values) =>
      redactValues(values)
        .then((redacted) => submit(context, caller, ref, redacted))
        .catch((fault: unknown) => ({
          kind: "errors",
          errors: [errorAt(context, refusalOf(fault), firstFields[ref.id])],
        })),
  };
}

async function reopen(
  context: ChatContext,
  caller: Caller,
  { id, requestId, revision, account }: DialogRef,
): Promise<Reply> {
  const malformed = refuse("malformed", "The form does not say what it is about.");
  if (id === "request") return { kind: "dialog", dialog: requestForm() };
  if (id === "break_glass") return runMenu(context, caller, "break_glass");
  if (id === "link") {
    return account === null ? refusedReply(context, malformed, null) : link(context, caller, account, null);
  }
  if (id === "show_credential" || id === "replace_credential") {
    return requestId === null
      ? refusedReply(context, malformed, null)
      : { kind: "dialog", dialog: sshKeyForm(id, requestId) };
  }
  return requestId === null
    ? refusedReply(context, malformed, null)
    : openForm(context, caller, id, requestId, { revision: revision ?? "" });
}

async function link(
  context: ChatContext,
  caller: Caller,
  account: ChatAccount,
  identityId: string | null,
): Promise<Reply> {
  if (identityId === null) {
    return caller.roles.includes("admin")
      ? { kind: "dialog", dialog: linkForm(account) }
      : refusedReply(context, refuse("missing_role", "Only an administrator links accounts."), null);
  }
  const linked = await context.accountLinks.link(caller, account, identityId);
  return isRefusal(linked)
    ? refusedReply(context, linked, null)
    : textReply(["Linked to ", { userText: linked.name }, ` (${linked.id}).`]);
}

/** A store that cannot be used is a no that will be a yes again; anything else is a bug and stays one. */
function refusalOf(fault: unknown): Refusal {
  if (!(fault instanceof StoreUnavailable)) throw fault;
  return refuse("store_unavailable", "It cannot be decided right now; nothing was changed.", {
    retryAfterSeconds: 5,
  });
}
