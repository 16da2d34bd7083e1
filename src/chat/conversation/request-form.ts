import type { Refusal, RefusalCode } from "../../core/values/refusals.ts";
import type { CatalogEntry } from "../../core/policy/policy.ts";
import { parseScope, scopesPerRequestMax } from "../../core/values/scopes.ts";
import { reasonLengthMax, ticketLengthMax, type RequestInput } from "../../service/ports/request-input.ts";
import type { Caller } from "../../service/ports/caller.ts";
import type { BreakGlassTerms } from "../../service/requests/break-glass-terms-service.ts";
import { scopesText } from "../../wording/card-text.ts";
import { namesLine, type Line } from "../../wording/line.ts";
import type { TypedRequest } from "../../wording/parse-command.ts";
import { durationWords } from "../../wording/duration-words.ts";
import { inlineUserText } from "../../wording/user-text.ts";
import { cutTo, escapeInvisible } from "../../wording/escape-invisible.ts";
import { dialogRef, type Dialog, type DialogValues, type Field, type Option } from "./dialog.ts";
import { durationOf, listOf, textOf, ticketOf, wordsOf } from "./form-values.ts";
import type { FieldError } from "./reply.ts";

/** Values that are filled in when a form opens. */
export type Prefill = Partial<TypedRequest>;

/** The form to request access. */
export function requestForm(prefill: Prefill = {}): Dialog {
  return {
    ref: dialogRef("request"),
    title: "Request access",
    intro: [],
    fields: [catalogField(), ...askFields(prefill, "Such as INC-42, if the policy requires one.")],
    submitLabel: "Request",
    hasPreview: true,
  };
}

/** The form for break-glass access. It first says what is recorded and who is alerted. */
export function breakGlassForm(terms: BreakGlassTerms, prefill: Prefill = {}): Dialog {
  const { alerted, limit, maxDuration, reviewDue, reviewerNames } = terms;
  const reviewers: Line = reviewerNames.length === 0 ? ["A reviewer"] : namesLine(reviewerNames);
  return {
    ref: dialogRef("break_glass"),
    title: "Break glass",
    intro: [
      ["For an emergency only: you take this access without anybody's approval."],
      [
        alerted.length === 0
          ? "Reviewers are alerted at once."
          : `At once alerted: ${alerted.join(", ")}, and reviewers.`,
      ],
      ["Recorded for ever: who you are, what you took, your reason, and each use of the credential."],
      [...reviewers, ` judges within ${durationWords(reviewDue)} whether it was justified.`],
      [
        `At most ${durationWords(maxDuration)}, no extension, ${limit.max} times in ${durationWords(limit.per)}. Access that a policy denies stays denied.`,
      ],
    ],
    fields: [catalogField(), ...askFields(prefill, "If there is one.")],
    submitLabel: "Break glass",
    hasPreview: false,
  };
}

function catalogField(): Field {
  return {
    kind: "catalog",
    id: "catalog",
    label: "Access",
    hint: "Type to search what there is.",
    isOptional: true,
    values: [],
  };
}

function askFields(prefill: Prefill, ticketHint: string): readonly Field[] {
  const { scopes = [], duration, reason, ticket } = prefill;
  return [
    textField("scopes", "Or scopes", {
      value: scopes.join(" "),
      placeholder: "read:prod:orders-db",
      hint: "action:resource, several divided by spaces.",
      isOptional: true,
      lengthMax: scopesLengthMax,
    }),
    textField("duration", "For how long", {
      value: duration ?? "",
      placeholder: "2h",
      hint: "Such as 30m, 2h or 1d. The time begins when you see the credential.",
    }),
    textField("reason", "Why", {
      value: reason ?? "",
      isMultiline: true,
      lengthMax: reasonLengthMax,
      hint: "Approvers decide on this. Never paste a password or token.",
    }),
    textField("ticket", "Ticket", {
      value: ticket ?? "",
      hint: ticketHint,
      isOptional: true,
      lengthMax: ticketLengthMax,
    }),
  ];
}

const scopesLengthMax = 3_000;

type TextField = Extract<Field, { kind: "text" }>;

/** A text field; by default it has one line and is required. */
export function textField(id: string, label: string, more: Partial<TextField> = {}): TextField {
  const rest = {
    hint: null,
    isOptional: false,
    isMultiline: false,
    lengthMax: 100,
    value: "",
    placeholder: null,
  };
  return { kind: "text", id, label, ...rest, ...more };
}

/** A catalog entry as an option. */
export function catalogOption({ name, scopes, description }: CatalogEntry): Option {
  const more = description === undefined ? scopesText(scopes) : `${description} (${scopesText(scopes)})`;
  return {
    value: catalogValue(name),
    label: cutTo(escapeInvisible(name), optionLengthMax),
    description: cutTo(escapeInvisible(more), optionLengthMax),
  };
}

const optionLengthMax = 75;

/** The content of a form, and `errors` at the fields that are missing or wrong. */
export interface ReadForm {
  readonly input: RequestInput;
  readonly errors: readonly FieldError[];
}

/** Reads a submitted form; `entries`: the picked catalog entries. */
export function readForm(
  caller: Caller,
  values: DialogValues,
  entries: readonly CatalogEntry[],
  breakGlass: boolean,
): ReadForm {
  const typed = textOf(values, "scopes")
    .split(/[\s,;]+/)
    .filter((scope) => scope !== "")
    .map((scope) => scope.replace(/^[^:]*/, (action) => action.toLowerCase()));
  const scopes = [...new Set([...entries.flatMap((entry) => entry.scopes), ...typed])];
  const parts = {
    duration: durationOf(values, "duration"),
    reason: wordsOf(values, "reason", "Say why you need it; approvers decide on this."),
    ticket: ticketOf(values, "ticket"),
  };
  const errors = [
    scopesError(values, scopes, typed, entries),
    parts.duration,
    parts.reason,
    parts.ticket,
  ].filter((one) => typeof one === "object");
  const ticket = textOrEmpty(parts.ticket);
  return {
    input: {
      identityId: caller.identity.id,
      scopes,
      duration: textOrEmpty(parts.duration),
      reason: textOrEmpty(parts.reason),
      ...(ticket !== "" && { ticket }),
      ...(breakGlass && { breakGlass }),
    },
    errors,
  };
}

function textOrEmpty(part: string | FieldError): string {
  return typeof part === "string" ? part : "";
}

/** The names of the catalog entries picked in a form. */
export function pickedNames(values: DialogValues): readonly string[] {
  const picked = listOf(values, "catalog");
  return [...new Set(picked.map((value) => value.replaceAll("%2C", ",").replaceAll("%25", "%")))];
}

/** Some platforms return several values separated by commas, so no value may contain one. */
function catalogValue(name: string): string {
  return name.replaceAll("%", "%25").replaceAll(",", "%2C");
}

function scopesError(
  values: DialogValues,
  scopes: readonly string[],
  typed: readonly string[],
  entries: readonly CatalogEntry[],
): FieldError | undefined {
  const wrong = typed.find((scope) => parseScope(scope) === undefined);
  if (wrong !== undefined) {
    const message = `"${wrong.slice(0, 60)}" is no scope: write action:resource, such as read:prod:orders-db.`;
    return { field: "scopes", message };
  }
  if (scopes.length > scopesPerRequestMax) {
    return {
      field: "scopes",
      message: `These are ${scopes.length} scopes; ${scopesPerRequestMax} are the most.`,
    };
  }
  const gone = pickedNames(values).find((name) => !entries.some((entry) => entry.name === name));
  if (gone !== undefined) {
    return {
      field: "catalog",
      message: `"${gone.slice(0, 60)}" is not in the catalog any more; pick again.`,
    };
  }
  return scopes.length > 0
    ? undefined
    : { field: "catalog", message: "Pick an access here, or write scopes below." };
}

/** The field that a refusal is shown at. The form then stays open with everything that was typed. */
export function fieldOf(refusal: Refusal): string {
  return fieldsByRefusal.get(refusal.refused) ?? "catalog";
}

const fieldsByRefusal: ReadonlyMap<RefusalCode, string> = new Map([
  ["invalid_scope", "scopes"],
  ["invalid_duration", "duration"],
  ["duration_exceeds_policy", "duration"],
  ["ticket_required", "ticket"],
  ["invalid_body", "reason"],
]);

/** Lines as one plain text, for places that cannot show more. */
export function plainText(lines: readonly Line[]): string {
  const plain = lines.map((line) =>
    line
      .map((part) => (typeof part === "string" ? part : "time" in part ? part.time : inlineUserText(part)))
      .join(""),
  );
  return plain.join(" ");
}
