import type { Note } from "../service/messenger.ts";
import type { Line } from "./card-text.ts";
import type { NoteAction } from "./labels.ts";

/** A note put into words, for any surface to lay out. */
export interface NoteText {
  readonly heading: Line;
  readonly lines: readonly Line[];
  readonly actions: readonly NoteAction[];
}

/** The same words for every surface. */
export function noteText(note: Note): NoteText {
  void note;
  return { heading: [], lines: [], actions: [] };
}
