import type { InputBlock, KnownBlock, ModalView, PlainTextOption, PlainTextElement } from "@slack/types";
import type { Dialog, DialogValues, Field, Option } from "../../conversation/dialog.ts";
import type { FieldError, Reply } from "../../conversation/reply.ts";
import type { Line } from "../../../wording/card-text.ts";
import { cutTo, escapeInvisible } from "../../../wording/escape-invisible.ts";
import { contextBlock, lineBlock } from "./buttons.ts";
import { accessBlocks } from "./card-blocks.ts";
import { quotationBlocks } from "./quotation.ts";
import { limits, mrkdwn } from "./text.ts";

/** The view whose submission is a dialog's; what it is about stands in `private_metadata`. */
export const dialogCallback = "dialog";
/** The one action of every field: which field it is, is the block's id. */
export const fieldAction = "field";

const titleMax = 24;
const textLengthMax = 3_000;

/** A form as a modal; `preview`: what the dry run says of it so far. */
export function dialogView(dialog: Dialog, preview: readonly Line[] = []): ModalView {
  return {
    type: "modal",
    callback_id: dialogCallback,
    private_metadata: JSON.stringify(dialog.ref),
    title: plainText(dialog.title, titleMax),
    submit: plainText(dialog.submitLabel, titleMax),
    close: plainText("Close", titleMax),
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

/** The same form with what was typed so far, so that an update loses nothing. */
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

function inputBlock(field: Field, isTriedOut: boolean): InputBlock {
  return {
    type: "input",
    block_id: field.id,
    label: plainText(field.label, 2_000),
    optional: field.isOptional,
    // Long texts decide nothing that the dry run could show; hearing of each of their letters would only disturb.
    dispatch_action: isTriedOut && !isLong(field),
    element: elementOf(field, isTriedOut && !isLong(field)),
    ...(field.hint !== null && { hint: plainText(field.hint, 2_000) }),
  };
}

function isLong(field: Field): boolean {
  return field.kind === "text" && field.isMultiline;
}

function elementOf(field: Field, isTriedOut: boolean): InputBlock["element"] {
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
        ...(field.placeholder !== null && { placeholder: plainText(field.placeholder, 150) }),
        ...(isTriedOut && { dispatch_action_config: { trigger_actions_on: ["on_character_entered"] } }),
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
    text: plainText(label, limits.option),
    ...(description !== null && { description: plainText(description, limits.option) }),
  };
}

/** Complaints at the fields they are about; those of no field that is shown stand at the first. */
export function errorsAt(errors: readonly FieldError[], shown: readonly string[]): Record<string, string> {
  const all: Record<string, string> = {};
  for (const { field, message } of errors) {
    const place = shown.includes(field) ? field : (shown[0] ?? field);
    all[place] = cutTo(all[place] === undefined ? message : `${all[place]} ${message}`, textLengthMax);
  }
  return all;
}

/** A modal that only says something. */
export function noticeView(
  title: string,
  lines: readonly Line[],
  more: readonly KnownBlock[] = [],
): ModalView {
  return {
    type: "modal",
    title: plainText(title, titleMax),
    close: plainText("Close", titleMax),
    blocks: [...lines.map(lineBlock), ...more].slice(0, limits.viewBlocks),
  };
}

/** The secret, in a modal: Slack keeps no modal, and nobody else sees it. */
export function credentialView({
  credential,
  lines,
}: Pick<Extract<Reply, { kind: "credential" }>, "credential" | "lines">): ModalView {
  const targets = credential.targets.flatMap((target): KnownBlock[] => [
    lineBlock([
      `${target.connector} · `,
      { literal: target.where },
      " · user ",
      { literal: target.username },
    ]),
    ...codeBlocks(target.secret ?? ""),
    ...codeBlocks(target.command ?? ""),
  ]);
  return noticeView("Your credential", lines, [
    ...codeBlocks(credential.token),
    ...targets,
    contextBlock(["Valid until ", { time: credential.expiresAt }, ". It is not shown again."]),
  ]);
}

/** Whole, however long: a secret that is cut opens nothing. */
function codeBlocks(text: string): KnownBlock[] {
  const pieces: string[] = [];
  let piece = "";
  for (const character of text) {
    const escaped = escapes.get(character) ?? character;
    if (piece.length + escaped.length > limits.section - 6) {
      pieces.push(piece);
      piece = "";
    }
    piece += escaped;
  }
  if (piece !== "") pieces.push(piece);
  return pieces.map((one) => ({
    type: "section",
    text: { type: "mrkdwn", text: `\`\`\`${one}\`\`\``, verbatim: true },
  }));
}

const escapes: ReadonlyMap<string, string> = new Map([
  ["&", "&amp;"],
  ["<", "&lt;"],
  [">", "&gt;"],
]);

export function plainText(text: string, max: number): PlainTextElement {
  return { type: "plain_text", text: cutTo(escapeInvisible(text), max) || "–", emoji: false };
}

/** All lines of a sentence-like reply as one text. */
export function linesText(lines: readonly Line[]): string {
  return lines.map((line) => mrkdwn(line)).join("\n");
}
