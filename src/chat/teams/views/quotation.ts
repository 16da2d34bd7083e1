import { quotationLines, type Quotation } from "../../../wording/user-text.ts";
import { cutTo } from "../../../wording/escape-invisible.ts";
import type { Element } from "./adaptive-card.ts";
import { inert, run } from "./text.ts";

/** A card has room for so many rows of one text; further lines are shown behind each other with a sign between them. */
const rowsMax = 20;
const lineEnd = " ⏎ ";

/**
 * People's own words in Teams, in this one place: our label, and below it a box of another colour with nothing but their
 * lines, as text runs, which Teams reads no markup in.
 *
 * @param max Characters to show; absent: all of them.
 */
export function quotationElements({ label, text }: Quotation, max = Infinity): readonly Element[] {
  const whole = quotationLines(text).join("\n");
  const rows = (max === Infinity ? whole : cutTo(whole, max)).split("\n");
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
