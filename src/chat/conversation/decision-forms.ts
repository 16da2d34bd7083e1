import { reasonLengthMax } from "../../service/ports/request-input.ts";
import { needsWholeCard, type Card } from "../../service/views/card.ts";
import type { ChatAccount } from "../../service/messaging/messenger.ts";
import { accessLine, cardText, riskLine } from "../../wording/card-text.ts";
import type { Line } from "../../wording/line.ts";
import { durationWords } from "../../wording/duration-words.ts";
import { dialogRef, type Dialog, type DialogId, type Field } from "./dialog.ts";
import { textField } from "./request-form.ts";

/** The forms that decide about a request. */
export type DecisionId = Exclude<
  DialogId,
  "request" | "break_glass" | "link" | "show_credential" | "replace_credential"
>;

/** The values of a typed command that lacks something, to fill in the form. */
export interface Typed {
  readonly duration?: string | null;
  readonly words?: string | null;
}

/** The form of an action that needs a text or a time. `revision`: the one its reader saw. */
export function decisionForm(id: DecisionId, card: Card, revision: string, typed: Typed = {}): Dialog {
  const { request } = card;
  const { title, intro, fields, submitLabel } = forms[id](card, typed);
  const { access, reason } = cardText(card);
  const subject: Line =
    card.audience === "requester"
      ? accessLine(card)
      : [{ userText: card.subjectName }, ": ", ...accessLine(card)];
  return {
    ref: dialogRef(id, { requestId: request.id, revision }),
    title,
    intro: [subject, ...intro],
    ...(needsWholeCard.has(id) && { decided: { requestId: request.id, access, reason } }),
    fields,
    submitLabel,
    hasPreview: false,
  };
}

type Form = Pick<Dialog, "title" | "intro" | "fields" | "submitLabel">;

const forms: { readonly [Id in DecisionId]: (card: Card, typed: Typed) => Form } = {
  deny: (_, typed) => ({
    title: "Deny",
    intro: [],
    fields: [words("Why", typed, "The requester reads this: say what would make it possible.")],
    submitLabel: "Deny",
  }),
  approve: ({ request }, typed) => ({
    title: "Approve",
    intro: [
      [
        "This is high risk",
        ...(request.risk === null ? [] : [": ", ...riskLine(request.risk)]),
        ". Approve all of this?",
      ],
    ],
    fields: [words("Comment", typed, null, true)],
    submitLabel: "Approve",
  }),
  approve_for_less: ({ request }, typed) => ({
    title: "Approve for less",
    intro: [[`Asked for ${durationWords(request.duration)}. The shortest time any approver gives counts.`]],
    fields: [duration("For how long", typed), words("Comment", typed, null, true)],
    submitLabel: "Approve",
  }),
  extend: ({ request }, typed) => ({
    title: "Extend",
    intro: [
      ...(request.expiresAt === null ? [] : [["It ends ", { time: request.expiresAt }, "."]]),
      ["Your credential stays the same. Approvers may be asked again."],
    ],
    fields: [
      duration("How much longer", typed),
      words("Why", typed, "Approvers decide on this. Never paste a password or token."),
    ],
    submitLabel: "Extend",
  }),
  revoke: (_, typed) => ({
    title: "Revoke",
    intro: [["The access ends at once and cannot be brought back; it can be asked for again."]],
    fields: [words("Why", typed, "The person who has it reads this.")],
    submitLabel: "Revoke",
  }),
  cancel: (_, typed) => ({
    title: "Cancel request",
    intro: [],
    fields: [words("Why", typed, null, true)],
    submitLabel: "Cancel request",
  }),
  justified: (_, typed) => ({
    title: "Justified",
    intro: [["You judge that this emergency access was justified."]],
    fields: [words("Comment", typed, "It is recorded with your judgement.")],
    submitLabel: "Justified",
  }),
  not_justified: ({ request }, typed) => ({
    title: "Not justified",
    intro: [
      ["You judge that this emergency access was not justified."],
      [
        request.status === "ACTIVE" || request.status === "APPROVED"
          ? "It ends at once, and this person's next emergency access is refused until another reviewer judges it again."
          : "This person's next emergency access is refused until another reviewer judges it again.",
      ],
    ],
    fields: [words("Comment", typed, "It is recorded with your judgement.")],
    submitLabel: "Not justified",
  }),
};

function duration(label: string, typed: Typed): Field {
  const hint = "Such as 30m, 2h or 1d.";
  return textField("duration", label, { value: typed.duration ?? "", placeholder: "30m", hint });
}

function words(label: string, typed: Typed, hint: string | null, isOptional = false): Field {
  const value = typed.words ?? "";
  return textField("words", label, {
    value,
    hint,
    isOptional,
    isMultiline: true,
    lengthMax: reasonLengthMax,
  });
}

/** The form in which an administrator names the owner of an account. */
export function linkForm(account: ChatAccount): Dialog {
  return {
    ref: dialogRef("link", { account }),
    title: "Link an account",
    intro: [
      [account.surface === "slack" ? "Slack workspace " : "Teams tenant ", { userText: account.team }],
      ["User ", { userText: account.user }],
      ["Anyone who uses this account will ask and decide as the person you name. Be sure who it is."],
    ],
    fields: [
      textField("identity", "Whose account", {
        placeholder: "id_… or name@company.com",
        hint: "The person's id or e-mail address here.",
        lengthMax: 254,
      }),
    ],
    submitLabel: "Link",
    hasPreview: false,
  };
}
