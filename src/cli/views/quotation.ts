import { quotationLines } from "../../wording/user-text.ts";
import type { CliIo } from "../io/cli-io.ts";
import { cutToWidth } from "./table.ts";

type Width = Pick<CliIo, "isTerminal" | "columns">;

const bar = "│ ";
/** The names of fields, which stand to the left. */
const indent = 12;
const narrowest = 20;

/**
 * People's own words in a terminal, in this one place: each row begins with a bar, also where the terminal would have
 * broken a long one, so that none can pass for a line of ours. One line of words in a pipe stays as it is.
 */
export function quotationRows(text: string, width: Width): readonly string[] {
  const lines = quotationLines(text);
  const [only] = lines;
  if (!width.isTerminal && lines.length === 1 && only !== undefined) return [only];
  return lines.flatMap((line) => rowsOf(line, width, bar.length).map((row) => `${bar}${row}`));
}

/** One line as rows of the terminal, so that what follows a break begins below the value and not below our names. */
export function rowsOf(line: string, { isTerminal, columns }: Width, taken = 0): readonly string[] {
  if (!isTerminal) return [line];
  const room = Math.max(narrowest, columns - indent - taken);
  const rows: string[] = [];
  let rest = line;
  do {
    const row = cutToWidth(rest, room);
    rows.push(row);
    rest = rest.slice(row.length);
  } while (rest !== "");
  return rows;
}
