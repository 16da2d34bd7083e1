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
import { welcome } from "./welcome-message.ts";
import { errorAt } from "./submit-request.ts";
import { linkForm } from "./decision-forms.ts";
import type { Dialog, DialogRef, DialogValues, Option } from "./dialog.ts";
import { homeOf, type Home } from "./home.ts";
import type { ChatContext } from "./chat-context.ts";
import { openForm, press, type Pressed } from "./button-actions.ts";
import { previewOf, type Preview } from "./request-preview.ts";
import { catalogOption, requestForm } from "./request-form.ts";
import type { Reply } from "./reply.ts";
import { sshKeyForm } from "./ssh-key-form.ts";
import { runUnlinked, type UnlinkedUser } from "./unlinked-users.ts";
import { firstFields, submit } from "./submit-form.ts";

export type { ChatContext, Preview, UnlinkedUser };

/**
 * The conversation, the same on every platform. The caller has been proven and linked by the surface; every answer is
 * for them alone. Nothing here throws for what a person does or for a store that cannot be used: a no is a reply.
 */
export interface Chat {
  /** What was typed after `/jit`. */
  run(caller: Caller, text: string): Promise<Reply>;
  /**
   * What was typed by somebody whom `ChatPeople.callerOf` refused; `why` is that refusal. The button *Ask to be linked*
   * is the text `link`.
   */
  runUnlinked(unlinkedUser: UnlinkedUser, text: string, why: Refusal): Promise<Reply>;
  /** What somebody is told who has just added the app. */
  welcome(caller: Caller): Reply;
  /** A button on a card, with what the button carried. */
  press(caller: Caller, action: CardAction, about: Pressed): Promise<Reply>;
  /** A button that begins something: a form, a page of the home view, a list. */
  menu(caller: Caller, action: MenuAction, page?: number): Promise<Reply>;
  /** An administrator's press on a link note. `identityId` null: opens the form that asks for it. */
  link(caller: Caller, account: ChatAccount, identityId: string | null): Promise<Reply>;
  home(caller: Caller): Promise<Home | Refusal>;
  /** The empty request form, for a shortcut or message extension. */
  form(caller: Caller): Promise<Dialog>;
  /** What opened this form before: the form again, or why it cannot be filled any more. */
  reopen(caller: Caller, ref: DialogRef): Promise<Reply>;
  /** What would happen if this form were sent as it is, where `hasPreview`. Stores nothing. */
  preview(caller: Caller, ref: DialogRef, values: DialogValues): Promise<Preview>;
  /** Entries that fit what was typed and that no policy denies this person, at most 100. */
  catalogOptions(caller: Caller, typed: string): Promise<readonly Option[]>;
  /** A submitted form: `errors` at its fields, or what came of it. */
  submit(caller: Caller, ref: DialogRef, values: DialogValues): Promise<Reply>;
}

/** What the platforms show in one list at most. */
const catalogOptionsMax = 100;
/** What Slack takes as a value at most. */
const optionValueMax = 150;

export function createChat(context: ChatContext): Chat {
  const answered = (reply: Promise<Reply>): Promise<Reply> =>
    reply.catch((fault: unknown) => refusedReply(context, refusalOf(fault), null));
  // Whatever is typed, wherever: a token in it is ended, and what is read, kept and said back is without it.
  const redactTokens = createTokenRedactor(context.services.tokenChecks.report);
  const redactValues = async (values: DialogValues): Promise<DialogValues> => {
    const typed = Object.entries(values).map(async ([field, value]) => {
      const words =
        typeof value === "string" ? await redactTokens(value) : await Promise.all(value.map(redactTokens));
      return [field, words] as const;
    });
    return Object.fromEntries(await Promise.all(typed));
  };
  return {
    run: (caller, text) => answered(redactTokens(text).then((words) => runTyped(context, caller, words))),
    runUnlinked: (unlinkedUser, text, why) => answered(runUnlinked(context, unlinkedUser, text, why)),
    welcome: (caller) => welcome(context, caller),
    press: (caller, action, about) => answered(press(context, caller, action, about)),
    menu: (caller, action, page) => answered(runMenu(context, caller, action, page)),
    link: (caller, account, identityId) => answered(link(context, caller, account, identityId)),
    home: (caller) => homeOf(context, caller).catch(refusalOf),
    form: async () => requestForm(),
    reopen: (caller, ref) => answered(reopen(context, caller, ref)),
    async preview(caller, ref, values) {
      if (ref.id !== "request") return { outcome: "incomplete", lines: [] };
      return redactValues(values)
        .then((words) => previewOf(context, caller, words))
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
        .then((words) => submit(context, caller, ref, words))
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
  const unreadable = refuse("malformed", "The form does not say what it is about.");
  if (id === "request") return { kind: "dialog", dialog: requestForm() };
  if (id === "break_glass") return runMenu(context, caller, "break_glass");
  if (id === "link") {
    return account === null ? refusedReply(context, unreadable, null) : link(context, caller, account, null);
  }
  if (id === "show_credential" || id === "replace_credential") {
    return requestId === null
      ? refusedReply(context, unreadable, null)
      : { kind: "dialog", dialog: sshKeyForm(id, requestId) };
  }
  return requestId === null
    ? refusedReply(context, unreadable, null)
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
