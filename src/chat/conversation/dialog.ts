import type { ChatAccount } from "../../service/messaging/messenger.ts";
import type { AccessText } from "../../wording/card-text.ts";
import type { Line } from "../../wording/line.ts";
import type { Quotation } from "../../wording/user-text.ts";

export const dialogIds = [
  "request",
  "break_glass",
  "deny",
  "approve",
  "approve_for_less",
  "extend",
  "revoke",
  "cancel",
  "justified",
  "not_justified",
  "link",
  "show_credential",
  "replace_credential",
] as const;
export type DialogId = (typeof dialogIds)[number];

/** Identifies a form and its subject. It travels with the form, so it has ids only, at most 600 characters as JSON. */
export interface DialogRef {
  readonly id: DialogId;
  /** Null for a new request. */
  readonly requestId: string | null;
  readonly revision: string | null;
  /** The account to link; null for all forms but `link`. */
  readonly account: ChatAccount | null;
}

export interface DecidedAccess {
  readonly requestId: string;
  readonly access: AccessText;
  readonly reason: Quotation;
}

/** A form, which is the same on every platform. */
export interface Dialog {
  readonly ref: DialogRef;
  /** At most 24 characters. */
  readonly title: string;
  readonly intro: readonly Line[];
  /** The access that submitting the form decides on: every scope and the whole reason. */
  readonly decided?: DecidedAccess;
  readonly fields: readonly Field[];
  /** At most 24 characters. */
  readonly submitLabel: string;
  /** Whether `Chat.preview` shows the result of a dry run before the form is submitted. */
  readonly hasPreview: boolean;
}

interface FieldBase {
  readonly id: string;
  /** At most 48 characters. */
  readonly label: string;
  readonly hint: string | null;
  readonly isOptional: boolean;
}

export type Field =
  | (FieldBase & {
      readonly kind: "text";
      readonly isMultiline: boolean;
      readonly lengthMax: number;
      readonly value: string;
      readonly placeholder: string | null;
    })
  /** One of a few options. */
  | (FieldBase & {
      readonly kind: "choice";
      readonly options: readonly Option[];
      readonly value: string | null;
    })
  /** Any number of catalog entries, which `Chat.catalogOptions` searches. */
  | (FieldBase & { readonly kind: "catalog"; readonly values: readonly Option[] });

export interface Option {
  /** At most 150 characters. */
  readonly value: string;
  /** At most 75 characters. */
  readonly label: string;
  /** At most 75 characters. */
  readonly description: string | null;
}

/** The typed values, by field id. An empty field has no entry. */
export type DialogValues = Readonly<Record<string, string | readonly string[]>>;

export function dialogRef(id: DialogId, more: Partial<Omit<DialogRef, "id">> = {}): DialogRef {
  return { id, requestId: null, revision: null, account: null, ...more };
}

/** Parses the JSON of a {@link DialogRef}; undefined for anything else. */
export function parseDialogRef(text: string): DialogRef | undefined {
  const read = jsonOf(text);
  const id = dialogIds.find((dialogId) => dialogId === field(read, "id"));
  if (id === undefined) return undefined;
  const requestId = textOf(field(read, "requestId"));
  const revision = textOf(field(read, "revision"));
  const account = accountOf(field(read, "account"));
  if (requestId === undefined || revision === undefined || account === undefined) return undefined;
  return { id, requestId, revision, account };
}

function jsonOf(text: string): unknown {
  try {
    const read: unknown = JSON.parse(text);
    return read;
  } catch {
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown): string | null | undefined {
  if (value === null) return null;
  return typeof value === "string" && value.length <= 200 ? value : undefined;
}

function accountOf(value: unknown): ChatAccount | null | undefined {
  if (value === null) return null;
  const surface = field(value, "surface");
  const team = textOf(field(value, "team"));
  const user = textOf(field(value, "user"));
  if (surface !== "slack" && surface !== "teams") return undefined;
  return typeof team === "string" && typeof user === "string" ? { surface, team, user } : undefined;
}
