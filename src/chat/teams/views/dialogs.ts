import type { DecidedAccess, Dialog, DialogValues, Field, Option } from "../../conversation/dialog.ts";
import type { FieldError } from "../../conversation/reply.ts";
import type { Line } from "../../../wording/card-text.ts";
import {
  adaptiveCard,
  bytesOf,
  contentBytesMax,
  type AdaptiveCard,
  type Button,
  type Element,
} from "./adaptive-card.ts";
import { button, type CardPlacement } from "./buttons.ts";
import { accessElements } from "./cards.ts";
import { quotationElements } from "./quotation.ts";
import { richText } from "./text.ts";

/** What a form shows besides its empty fields. */
export interface FormState {
  /** The values typed so far. */
  readonly values: DialogValues;
  readonly errors: readonly FieldError[];
  /** The result of the dry run, if one was requested. */
  readonly preview: readonly Line[];
  /** The first entries of the catalog. */
  readonly catalog: readonly Option[];
}

export const emptyForm: FormState = { values: {}, errors: [], preview: [], catalog: [] };

/** Prefix of input names, which keeps them apart from the data of buttons. */
const inputPrefix = "field:";
/** A card must stay small; people find other choices by typing. */
const choicesMax = 25;
/** The one set of choices that Teams searches with us. */
export const catalogDataset = "catalog";

/** A form as a card, in a dialog or in place of the card it was opened from. */
export function dialogCard(
  dialog: Dialog,
  placement: CardPlacement,
  state: FormState = emptyForm,
): AdaptiveCard {
  const complete = formOf(dialog, placement, state, { isDecidable: true });
  return bytesOf(complete) < contentBytesMax || dialog.decided === undefined
    ? complete
    : formOf(dialog, placement, state, { isDecidable: false });
}

/** `isDecidable` false: the access to decide does not fit, so the form has no submit button. */
function formOf(
  dialog: Dialog,
  placement: CardPlacement,
  state: FormState,
  { isDecidable }: { readonly isDecidable: boolean },
): AdaptiveCard {
  const general = state.errors.filter(({ field }) => !dialog.fields.some(({ id }) => id === field));
  return adaptiveCard({
    fallbackText: dialog.title,
    body: [
      // Teams shows the title of a dialog itself.
      ...(placement === "message" ? [title(dialog.title)] : []),
      ...dialog.intro.map((line) => richText(line)),
      ...decidedElements(dialog.decided, isDecidable),
      ...general.map(({ message }) => errorRow(message)),
      ...dialog.fields.flatMap((field) => fieldElements(field, state)),
      ...state.preview.map((line) => richText(line, { weight: "Bolder" })),
    ],
    actions: formButtons(dialog, placement, isDecidable),
  });
}

/** The complete access that submitting the form decides on: nobody decides on what they were not shown. */
function decidedElements(decided: DecidedAccess | undefined, isWhole: boolean): readonly Element[] {
  if (decided === undefined) return [];
  const { requestId, access, reason } = decided;
  return isWhole
    ? [...accessElements(access), ...quotationElements(reason)]
    : [richText([`Not all of it fits here. Read all of it and decide with jit approve ${requestId}.`])];
}

/** The typed values, from the data of a pressed button. */
export function typedValues(data: Readonly<Record<string, unknown>>): DialogValues {
  const values: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(data)) {
    if (!name.startsWith(inputPrefix) || typeof value !== "string" || value === "") continue;
    const [kind, id] = splitName(name);
    values[id] = kind === "many" ? value.split(",") : value;
  }
  return values;
}

/** `field:one:reason` or `field:many:catalog`. Teams returns several values as one text, so the name tells them apart. */
function nameOf({ kind, id }: Field): string {
  return `${inputPrefix}${kind === "catalog" ? "many" : "one"}:${id}`;
}

function splitName(name: string): readonly [string, string] {
  const [kind = "", ...id] = name.slice(inputPrefix.length).split(":");
  return [kind, id.join(":")];
}

function title(text: string): Element {
  return { type: "TextBlock", text, wrap: true, size: "Medium", weight: "Bolder" };
}

function errorRow(message: string): Element {
  return richText([{ literal: message }], { color: "Attention" }, "Small");
}

function fieldElements(field: Field, { values, errors, catalog }: FormState): readonly Element[] {
  const own = errors.filter((error) => error.field === field.id);
  const hint: readonly Element[] =
    field.hint === null ? [] : [richText([{ literal: field.hint }], { isSubtle: true }, "None")];
  return [input(field, values[field.id], catalog), ...hint, ...own.map(({ message }) => errorRow(message))];
}

function input(
  field: Field,
  typed: string | readonly string[] | undefined,
  catalog: readonly Option[],
): Element {
  const label = field.isOptional ? `${field.label} (optional)` : field.label;
  const named = { id: nameOf(field), label };
  switch (field.kind) {
    case "text":
      return {
        type: "Input.Text",
        ...named,
        isMultiline: field.isMultiline,
        maxLength: field.lengthMax,
        value: typeof typed === "string" ? typed : field.value,
        ...(field.placeholder !== null && { placeholder: field.placeholder }),
      };
    case "choice": {
      const value = typeof typed === "string" ? typed : field.value;
      const choices = field.options.map((option) => ({ title: option.label, value: option.value }));
      const chosen = value !== null && { value };
      return {
        type: "Input.ChoiceSet",
        ...named,
        isMultiSelect: false,
        style: "compact",
        choices,
        ...chosen,
      };
    }
    case "catalog":
      return catalogInput(named, field.values, typed, catalog);
  }
}

function catalogInput(
  named: { readonly id: string; readonly label: string },
  preset: readonly Option[],
  typed: string | readonly string[] | undefined,
  catalog: readonly Option[],
): Element {
  const picked = Array.isArray(typed) ? typed : preset.map(({ value }) => value);
  const known = new Map([...preset, ...catalog].map((option) => [option.value, option]));
  const options = [
    // Picked options stay in the list, even if they are not among the first.
    ...picked.map((value) => known.get(value) ?? { value, label: value, description: null }),
    ...[...known.values()].filter(({ value }) => !picked.includes(value)),
  ];
  return {
    type: "Input.ChoiceSet",
    ...named,
    isMultiSelect: true,
    style: "filtered",
    choices: options.slice(0, Math.max(choicesMax, picked.length)).map(choiceOf),
    ...(picked.length > 0 && { value: picked.join(",") }),
    placeholder: "Type to search",
    "choices.data": { type: "Data.Query", dataset: catalogDataset },
  };
}

export function choiceOf({ value, label, description }: Option): {
  readonly title: string;
  readonly value: string;
} {
  return { title: description === null ? label : `${label}: ${description}`, value };
}

function formButtons(
  { ref, submitLabel, hasPreview }: Dialog,
  placement: CardPlacement,
  isDecidable: boolean,
): readonly Button[] {
  const refJson = JSON.stringify(ref);
  const { requestId } = ref;
  return [
    ...(isDecidable
      ? [button(submitLabel, { verb: "form:submit", ref: refJson }, placement, "positive")]
      : []),
    ...(hasPreview ? [button("Check first", { verb: "form:preview", ref: refJson }, placement)] : []),
    ...(requestId !== null ? [button("Back", { verb: "card:refresh", request: requestId }, placement)] : []),
  ];
}
