import type { InputBlock, KnownBlock, ModalView, PlainTextOption, PlainTextElement } from "@slack/types";
import type { Dialog, DialogValues, Field, Option } from "../../conversation/dialog.ts";
import type { FieldError } from "../../conversation/reply.ts";
import type { Line } from "../../../wording/card-text.ts";
import { cutTo, escapeInvisible } from "../../../wording/escape-invisible.ts";
import { contextBlock, lineBlock } from "./buttons.ts";
import { accessBlocks } from "./card-blocks.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits, mrkdwn } from "./text.ts";

/** Identifies the submissions of our dialogs. Their `DialogRef` is in `private_metadata`. */
export const dialogCallback = "dialog";
/** The action id of every field; the block id says which field it is. */
export const fieldAction = "field";

const titleMax = 24;
const textLengthMax = 3_000;

/** A form as a modal; `preview`: the result of the dry run so far. */
export function dialogView(dialog: Dialog, preview: readonly Line[] = []): ModalView {
  return {
    type: "modal",
    callback_id: dialogCallback,
    private_metadata: JSON.stringify(dialog.ref),
    title: plainTextElement(dialog.title, titleMax),
    submit: plainTextElement(dialog.submitLabel, titleMax),
    close: plainTextElement("Close", titleMax),
    blocks: [
      ...dialog.intro.map(lineBlock),
      ...(dialog.decided === undefined
        ? []
        : [...accessBlocks(dialog.decided.access), ...quotationBlocks(dialog.decided.reason)]),
      ...dialog.fields.map((field) => inputBlock(field, dialog.hasPreview)),
      ...preview.map(contextBlock),
    ].slice(0, limits.viewBlocks),
  };
}

/** The form with the values typed so far, so that an update loses nothing. */
export function filled(dialog: Dialog, values: DialogValues): Dialog {
  return {
    ...dialog,
    fields: dialog.fields.map((field): Field => {
      const value = values[field.id];
      if (field.kind === "text") return typeof value === "string" ? { ...field, value } : field;
      if (field.kind === "choice") return typeof value === "string" ? { ...field, value } : field;
      if (value === undefined || typeof value === "string") return field;
      return { ...field, values: value.map((one) => ({ value: one, label: one, description: null })) };
    }),
  };
}

function inputBlock(field: Field, hasPreview: boolean): InputBlock {
  return {
    type: "input",
    block_id: field.id,
    label: plainTextElement(field.label, 2_000),
    optional: field.isOptional,
    // Long texts change nothing in the dry run, so their keystrokes are not sent.
    dispatch_action: hasPreview && !isLong(field),
    element: elementOf(field, hasPreview && !isLong(field)),
    ...(field.hint !== null && { hint: plainTextElement(field.hint, 2_000) }),
  };
}

function isLong(field: Field): boolean {
  return field.kind === "text" && field.isMultiline;
}

function elementOf(field: Field, sendsKeystrokes: boolean): InputBlock["element"] {
  switch (field.kind) {
    case "text":
      return {
        type: "plain_text_input",
        action_id: fieldAction,
        multiline: field.isMultiline,
        max_length: Math.min(textLengthMax, field.lengthMax),
        ...(field.value !== "" && {
          initial_value: cutTo(field.value, Math.min(textLengthMax, field.lengthMax)),
        }),
        ...(field.placeholder !== null && { placeholder: plainTextElement(field.placeholder, 150) }),
        ...(sendsKeystrokes && { dispatch_action_config: { trigger_actions_on: ["on_character_entered"] } }),
      };
    case "choice": {
      const options = field.options.map(slackOption);
      const chosen = options.find((one) => one.value === field.value);
      return {
        type: "static_select",
        action_id: fieldAction,
        options,
        ...(chosen !== undefined && { initial_option: chosen }),
      };
    }
    case "catalog":
      return {
        type: "multi_external_select",
        action_id: fieldAction,
        min_query_length: 0,
        ...(field.values.length > 0 && { initial_options: field.values.map(slackOption) }),
      };
  }
}

export function slackOption({ value, label, description }: Option): PlainTextOption {
  return {
    value: cutTo(value, 150),
    text: plainTextElement(label, limits.option),
    ...(description !== null && { description: plainTextElement(description, limits.option) }),
  };
}

/** Errors by field. Errors of fields that are not shown go to the first field. */
export function errorsAt(errors: readonly FieldError[], shown: readonly string[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (const { field, message } of errors) {
    const block = shown.includes(field) ? field : (shown[0] ?? field);
    all[block] = cutTo(all[block] === undefined ? message : `${all[block]} ${message}`, textLengthMax);
  }
  return all;
}

/** A modal without fields. */
export function noticeView(
  title: string,
  lines: readonly Line[],
  more: readonly KnownBlock[] = [],
): ModalView {
  return {
    type: "modal",
    title: plainTextElement(title, titleMax),
    close: plainTextElement("Close", titleMax),
    blocks: [...lines.map(lineBlock), ...more].slice(0, limits.viewBlocks),
  };
}

export function plainTextElement(text: string, max: number): PlainTextElement {
  return { type: "plain_text", text: cutTo(escapeInvisible(text), max) || "–", emoji: false };
}

/** Lines as one mrkdwn text. */
export function linesText(lines: readonly Line[]): string {
  return lines.map((line) => mrkdwn(line)).join("\n");
}
