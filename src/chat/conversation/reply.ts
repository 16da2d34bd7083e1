import type { Refusal } from "../../core/values/refusals.ts";
import type { Card } from "../../service/views/card.ts";
import type { CredentialView, RequestView } from "../../service/views/request-view.ts";
import type { Line } from "../../wording/card-text.ts";
import type { Quotation } from "../../wording/user-text.ts";
import type { MenuAction } from "../../wording/labels.ts";
import type { Dialog } from "./dialog.ts";
import type { Home } from "./home.ts";

/**
 * The answer to one person, the same on every platform; surfaces only lay it out. A reply is never posted where others
 * can read it.
 */
export type Reply =
  /** Text, with buttons below it. */
  | { readonly kind: "text"; readonly lines: readonly Line[]; readonly buttons: readonly MenuAction[] }
  /** One request; `lead` says what has just happened to it. */
  | { readonly kind: "card"; readonly lead: readonly Line[]; readonly card: Card }
  /** Several requests; `lines` introduces them or says that there are none. */
  | {
      readonly kind: "cards";
      readonly lines: readonly Line[];
      readonly cards: readonly Card[];
      readonly buttons: readonly MenuAction[];
    }
  /** A form, opened in a dialog where the platform can, else shown in place. */
  | { readonly kind: "dialog"; readonly dialog: Dialog }
  | { readonly kind: "home"; readonly home: Home }
  /** All details of one request. */
  | {
      readonly kind: "details";
      readonly card: Card;
      readonly lines: readonly Line[];
      readonly quotations: readonly Quotation[];
    }
  /** The secret, shown once: in a modal or a dialog, never in a stored message. */
  | {
      readonly kind: "credential";
      readonly credential: CredentialView;
      readonly request: RequestView;
      readonly lines: readonly Line[];
    }
  /** The access is still being prepared at its targets; the button must be pressed again. */
  | { readonly kind: "preparing"; readonly request: RequestView; readonly lines: readonly Line[] }
  /** A refusal and what to do next. `card`: the request as it is now, if the person may see it. */
  | {
      readonly kind: "refused";
      readonly refusal: Refusal;
      readonly lines: readonly Line[];
      readonly card: Card | null;
      readonly buttons: readonly MenuAction[];
      /** The text typed in the refused form, so that it is not lost. */
      readonly typed?: readonly Quotation[];
    }
  /** Errors at the fields of a submitted form, which stays open with everything that was typed. */
  | { readonly kind: "errors"; readonly errors: readonly FieldError[] };

export interface FieldError {
  /** The id of a field of the dialog that was submitted. */
  readonly field: string;
  readonly message: string;
}
