import type { Refusal } from "../core/refusals.ts";
import type { Line } from "./card-text.ts";

/** A no in sentences: what happened, and what to do next. */
export function refusalText(refusal: Refusal): readonly Line[] {
  return [[{ said: refusal.detail }]];
}
