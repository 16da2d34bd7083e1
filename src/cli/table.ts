import type { Outside } from "./outside.ts";
import { safeText } from "./safe-text.ts";

type Width = Pick<Outside, "isTerminal" | "columns">;

/** Aligned columns under a head. On a terminal the last column is cut to fit; every cell is made safe to show. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { isTerminal, columns }: Width,
): string {
  const lines = [head, ...rows.map((row) => row.map(safeText))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ""))));
  const last = head.length - 1;
  const room = columns - widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  return lines
    .map((line) => {
      const cells = line.map((cell, column) =>
        column < last
          ? cell + " ".repeat((widths[column] ?? 0) - widthOf(cell) + 2)
          : isTerminal
            ? cut(cell, Math.max(room, 10))
            : cell,
      );
      return `${cells.join("").trimEnd()}\n`;
    })
    .join("");
}

/** `Name   value` lines, aligned; a value of several rows goes on below itself. Those without a value are left out. */
export function fields(
  pairs: readonly (readonly [name: string, value: string | readonly string[] | null | undefined])[],
): string {
  const given = pairs.flatMap(([name, value]) => {
    const rows = typeof value === "string" ? [value] : (value ?? []);
    return rows.every((row) => row === "") ? [] : [[name, rows] as const];
  });
  const width = Math.max(...given.map(([name]) => name.length));
  return given
    .flatMap(([name, rows]) =>
      rows.map((row, index) => `${(index === 0 ? name : "").padEnd(width)}  ${safeText(row)}\n`),
    )
    .join("");
}

const segmenter = new Intl.Segmenter();
/** What terminals draw two columns wide: emoji, and the scripts of East Asia. */
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u;

function graphemes(text: string): readonly string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function widthOf(text: string): number {
  return graphemes(text).reduce((sum, one) => sum + (wide.test(one) ? 2 : 1), 0);
}

function cut(text: string, room: number): string {
  return widthOf(text) <= room ? text : `${cutToWidth(text, room - 1)}…`;
}

/** The beginning of the text that is at most this wide, and at least one character of it. */
export function cutToWidth(text: string, room: number): string {
  let kept = "";
  let used = 0;
  for (const one of graphemes(text)) {
    used += wide.test(one) ? 2 : 1;
    if (used > room && kept !== "") break;
    kept += one;
  }
  return kept;
}
