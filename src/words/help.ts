import type { Line } from "./card-text.ts";
import type { CommandName } from "./command.ts";

/** Help on one command, or on all of them. */
export function helpLines(topic: CommandName | null): readonly Line[] {
  void topic;
  return [];
}
