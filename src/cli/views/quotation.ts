import { quotationLines } from "../../wording/user-text.ts";
import type { CliIo } from "../io/cli-io.ts";
import { cutToWidth } from "./table.ts";

type Width = Pick<CliIo, "isTerminal" | "columns">;

const bar = "│ ";
/** The width of the field names to the left. */
const indent = 12;
const rowWidthMin = 20;

/**
 * Formats user text for a terminal, as the only place that does. Every row begins with a bar, also where a long line
 * wraps, so that no row can pass for a line of ours. A single line in a pipe stays unchanged.
 */
export function quotationRows(text: string, width: Width): readonly string[] {
  const lines = quotationLines(text);
  const [only] = lines;
  if (!width.isTerminal && lines.length === 1 && only !== undefined) return [only];
  return lines.flatMap((line) => rowsOf(line, width, bar.length).map((row) => `${bar}${row}`));
}

/** Wraps a line for the terminal, so that further rows begin below the value and not below the field names. */
export function rowsOf(line: string, { isTerminal, columns }: Width, prefixWidth = 0): readonly string[] {
  if (!isTerminal) return [line];
  const rowWidth = Math.max(rowWidthMin, columns - indent - prefixWidth);
  const rows: string[] = [];
  let rest = line;
  do {
    const row = cutToWidth(rest, rowWidth);
    rows.push(row);
    rest = rest.slice(row.length);
  } while (rest !== "");
  return rows;
}
