import { reasonLengthMax, ticketLengthMax } from "../../service/ports/request-input.ts";
import { readDuration } from "../../wording/duration-words.ts";
import { removeJoiners } from "../../wording/pasted-text.ts";
import type { DialogValues } from "./dialog.ts";
import type { FieldError } from "./reply.ts";

/** A typed text, trimmed; "" when nothing was typed. */
export function textOf(values: DialogValues, field: string): string {
  const value = values[field];
  const text = typeof value === "string" ? value : (value?.join(" ") ?? "");
  return removeJoiners(text).trim();
}

/** The picked values of a field. */
export function listOf(values: DialogValues, field: string): readonly string[] {
  const value = values[field];
  if (value === undefined) return [];
  return (typeof value === "string" ? value.split(",") : value)
    .map((item) => removeJoiners(item).trim())
    .filter((item) => item !== "");
}

/** A typed duration in its short form, or the error of the field. */
export function durationOf(values: DialogValues, field: string): string | FieldError {
  const typed = textOf(values, field);
  const duration = readDuration(typed);
  if (duration !== undefined) return duration;
  const message =
    typed === ""
      ? "Say for how long, such as 30m, 2h or 1d."
      : "This is no duration. Write it like 30m, 2h, 1h30m or 1d.";
  return { field, message };
}

/** A required text, or the error of the field. */
export function wordsOf(values: DialogValues, field: string, missing: string): string | FieldError {
  const typed = textOf(values, field);
  if (typed === "") return { field, message: missing };
  return checkLength(field, typed, reasonLengthMax);
}

export function ticketOf(values: DialogValues, field: string): string | FieldError {
  return checkLength(field, textOf(values, field), ticketLengthMax);
}

function checkLength(field: string, typed: string, max: number): string | FieldError {
  return typed.length > max
    ? { field, message: `This has ${typed.length} characters; ${max} are the most.` }
    : typed;
}
