import { quotationLines, type Quotation } from "../../../wording/user-text.ts";
import { cutTo } from "../../../wording/escape-invisible.ts";
import type { Element } from "./adaptive-card.ts";
import { inert, run } from "./text.ts";

/** The most rows for one text. Further lines are joined into the last row, with a sign between them. */
const rowsMax = 20;
const lineEnd = " ⏎ ";

/**
 * User text as a quotation: our label, and below it a box of another colour with nothing but their lines. Teams reads no
 * markup in text runs. No other file lays out user text of several lines.
 *
 * @param max Characters to show; absent: all of them.
 */
export function quotationElements({ label, text }: Quotation, max = Infinity): readonly Element[] {
  const joined = quotationLines(text).join("\n");
  const rows = (max === Infinity ? joined : cutTo(joined, max)).split("\n");
  const shown =
    rows.length > rowsMax ? [...rows.slice(0, rowsMax - 1), rows.slice(rowsMax - 1).join(lineEnd)] : rows;
  return [
    { type: "RichTextBlock", inlines: [run(label, { isSubtle: true })], spacing: "Small" },
    {
      type: "Container",
      style: "emphasis",
      spacing: "None",
      items: shown.map((row): Element => ({
        type: "RichTextBlock",
        inlines: [run(row === "" ? " " : inert(row))],
        spacing: "None",
      })),
    },
  ];
}
