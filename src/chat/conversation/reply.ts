import type { Refusal } from "../../core/values/refusals.ts";
import type { Card } from "../../service/views/card.ts";
import type { CredentialView, RequestView } from "../../service/views/request-view.ts";
import type { Line } from "../../wording/card-text.ts";
import type { Quotation } from "../../wording/user-text.ts";
import type { MenuAction } from "../../wording/labels.ts";
import type { Dialog } from "./dialog.ts";
import type { Home } from "./home.ts";

/**
 * What a person gets back, for them alone, on every platform: surfaces only lay it out. A reply is never posted where
 * others can read it.
 */
export type Reply =
  /** A few sentences, perhaps with buttons below them. */
  | { readonly kind: "text"; readonly lines: readonly Line[]; readonly buttons: readonly MenuAction[] }
  /** One request, with what has just happened to it above. */
  | { readonly kind: "card"; readonly lead: readonly Line[]; readonly card: Card }
  /** Several requests; `lines` says what they are, or that there are none. */
  | {
      readonly kind: "cards";
      readonly lines: readonly Line[];
      readonly cards: readonly Card[];
      readonly buttons: readonly MenuAction[];
    }
  /** A form to open at once where the platform can, else to be shown in place. */
  | { readonly kind: "dialog"; readonly dialog: Dialog }
  | { readonly kind: "home"; readonly home: Home }
  /** Everything there is to say about one request. */
  | {
      readonly kind: "details";
      readonly card: Card;
      readonly lines: readonly Line[];
      readonly quotations: readonly Quotation[];
    }
  /** The secret, for this person's eyes, once: in a modal or a dialog's answer, never in a message that is kept. */
  | {
      readonly kind: "credential";
      readonly credential: CredentialView;
      readonly request: RequestView;
      readonly lines: readonly Line[];
    }
  /** The access is being made at its targets: to be pressed again. */
  | { readonly kind: "preparing"; readonly request: RequestView; readonly lines: readonly Line[] }
  /** No, and what to do next. `card`: the truth about the request, where there is one to show. */
  | {
      readonly kind: "refused";
      readonly refusal: Refusal;
      readonly lines: readonly Line[];
      readonly card: Card | null;
      readonly buttons: readonly MenuAction[];
      /** What was typed into the form that led here: it must not be lost with it. */
      readonly typed?: readonly Quotation[];
    }
  /** A submitted form that does not fit: sentences at its fields. Nothing that was typed is lost. */
  | { readonly kind: "errors"; readonly errors: readonly FieldError[] };

export interface FieldError {
  /** The id of a field of the dialog that was submitted. */
  readonly field: string;
  readonly message: string;
}
