import type { CliIo } from "../io/cli-io.ts";
import { safeText } from "../io/safe-text.ts";

type Width = Pick<CliIo, "isTerminal" | "columns">;

/** The minimal width of a cut column. The last one gets more, because it holds user text. */
const cutWidthMin = 6;
const lastWidthMin = 10;
const gap = 2;

/**
 * Formats rows as aligned columns below a header, with every cell made safe. On a terminal columns are cut to fit, the
 * last one first. The first one is never cut, because it holds the id for the next command. If that does not suffice,
 * each row becomes a block of lines.
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { isTerminal, columns }: Width,
): string {
  const safe = rows.map((row) => row.map(safeText));
  const lines = [head, ...safe];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ""))));
  const fitting = isTerminal ? fitted(widths, columns) : widths;
  if (fitting === undefined) return blocks(head, safe, columns);
  return lines.map((line) => `${aligned(line, fitting, isTerminal).trimEnd()}\n`).join("");
}

function aligned(line: readonly string[], widths: readonly number[], isCut: boolean): string {
  return line
    .map((whole, column) => {
      const width = widths[column] ?? 0;
      const cell = isCut ? cut(whole, width) : whole;
      return column === line.length - 1 ? cell : cell + " ".repeat(Math.max(0, width - widthOf(cell)) + gap);
    })
    .join("");
}

/** Widths that fit into `columns`; undefined when even the minimal widths do not fit. */
function fitted(widths: readonly number[], columns: number): readonly number[] | undefined {
  const fit = [...widths];
  const last = fit.length - 1;
  const excess = (): number => fit.reduce((sum, width) => sum + width + gap, -gap) - columns;
  const ending = fit[last] ?? 0;
  if (last > 0 && excess() > 0) {
    fit[last] = Math.max(ending - excess(), Math.min(ending, lastWidthMin));
  }
  while (excess() > 0) {
    const inner = fit.slice(1, Math.max(last, 1));
    const most = Math.max(0, ...inner);
    if (most <= cutWidthMin) return undefined;
    fit[1 + inner.indexOf(most)] = most - 1;
  }
  return fit;
}

/** Formats each row as a block with one line per non-empty cell. */
function blocks(head: readonly string[], rows: readonly (readonly string[])[], columns: number): string {
  const width = Math.max(...head.map(widthOf));
  return rows
    .map((row) =>
      head
        .map((name, column) => [name.padEnd(width + gap), row[column] ?? ""] as const)
        .filter(([, cell]) => cell !== "")
        .map(([name, cell]) => `${name}${cut(cell, Math.max(columns - width - gap, 1))}\n`)
        .join(""),
    )
    .join("\n");
}

/** Formats aligned `Name   value` lines. Further rows of a value are indented; empty values are omitted. */
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
/** Characters that terminals draw two columns wide: emoji and East Asian scripts. */
const wide =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|[\u{20000}-\u{3FFFD}])/u;

function graphemes(text: string): readonly string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

function widthOf(text: string): number {
  return graphemes(text).reduce((sum, grapheme) => sum + graphemeWidth(grapheme), 0);
}

/** The width in columns. A text character with the emoji variation selector is drawn as an emoji. */
function graphemeWidth(grapheme: string): number {
  return wide.test(grapheme) || grapheme.includes("\uFE0F") ? 2 : 1;
}

function cut(text: string, width: number): string {
  return widthOf(text) <= width ? text : `${cutToWidth(text, width - 1)}…`;
}

/** The beginning of the text that fits into `width`, but at least one character. */
export function cutToWidth(text: string, width: number): string {
  let result = "";
  let used = 0;
  for (const grapheme of graphemes(text)) {
    used += graphemeWidth(grapheme);
    if (used > width && result !== "") break;
    result += grapheme;
  }
  return result;
}
