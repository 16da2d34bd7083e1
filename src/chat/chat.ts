import type { Refusal } from "../core/refusals.ts";
import type { Caller } from "../service/caller.ts";
import type { CardAction } from "../service/card.ts";
import type { CardService, ChatPeople } from "../service/chat-people.ts";
import type { ChatAccount } from "../service/messenger.ts";
import type { Services } from "../service/services.ts";
import type { Line } from "../words/card-text.ts";
import type { MenuAction } from "../words/labels.ts";
import { dialogRef, type Dialog, type DialogRef, type DialogValues, type Option } from "./dialog.ts";
import type { Home } from "./home.ts";
import type { Reply } from "./reply.ts";

/** What the conversation is made of. */
export interface ChatParts {
  readonly services: Services;
  readonly people: ChatPeople;
  readonly cards: CardService;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** A stranger as the platform describes them. */
export interface Stranger {
  readonly account: ChatAccount;
  readonly displayName: string;
  readonly email: string | null;
}

/** What the dry run of a half-filled form says. */
export interface Preview {
  /** `incomplete`: something is still missing; the lines say what. */
  readonly outcome: "auto_approved" | "needs_approval" | "refused" | "incomplete";
  readonly lines: readonly Line[];
}

/**
 * The conversation, the same on every platform. The caller has been proven and linked by the surface; every answer is
 * for them alone. Nothing here throws for what a person does: a no is a reply.
 */
export interface Chat {
  /** What was typed after `/jit`. */
  run(caller: Caller, text: string): Promise<Reply>;
  /** What was typed by somebody without a link, or what they pressed: `ask_for_link` is `link`. */
  runUnlinked(stranger: Stranger, text: string, why: Refusal): Promise<Reply>;
  /** A button on a card. `revision` as the button carried it. */
  press(
    caller: Caller,
    action: CardAction,
    about: { readonly requestId: string; readonly revision: string },
  ): Promise<Reply>;
  /** A button that begins something: a form, the home view, a list. */
  menu(caller: Caller, action: MenuAction): Promise<Reply>;
  /** An administrator's press on a link card. `identityId` null: opens the form that asks for it. */
  link(caller: Caller, account: ChatAccount, identityId: string | null): Promise<Reply>;
  home(caller: Caller): Promise<Home | Refusal>;
  /** The empty request form, for a shortcut or message extension. */
  form(caller: Caller): Promise<Dialog>;
  /** What would happen if the form were sent as it is; for `request` and `break_glass`. Stores nothing. */
  preview(caller: Caller, ref: DialogRef, values: DialogValues): Promise<Preview>;
  /** Entries that fit what was typed, at most 100. */
  catalogOptions(caller: Caller, typed: string): Promise<readonly Option[]>;
  /** A submitted form: `errors` at its fields, or what came of it. */
  submit(caller: Caller, ref: DialogRef, values: DialogValues): Promise<Reply>;
}

export function createChat(parts: ChatParts): Chat {
  void parts;
  const soon: Reply = { kind: "text", lines: [], buttons: [] };
  return {
    run: async () => soon,
    runUnlinked: async () => soon,
    press: async () => soon,
    menu: async () => soon,
    link: async () => soon,
    home: async () => ({ lead: [], sections: [], buttons: [] }),
    form: async () => ({
      ref: dialogRef("request"),
      title: "Request access",
      intro: [],
      fields: [],
      submitLabel: "Request",
      hasPreview: true,
    }),
    preview: async () => ({ outcome: "incomplete", lines: [] }),
    catalogOptions: async () => [],
    submit: async () => soon,
  };
}
