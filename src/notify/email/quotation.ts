import { quotationLines, type Quotation } from "../../wording/user-text.ts";
import { escaped } from "./mail-lines.ts";

/*
 * People's own words in a mail, in this one place. In the text each of their lines begins with `> `, as mail programs
 * mark what was said before; in the HTML they are in a frame of their own.
 */

export function quotedText({ label, text }: Quotation): string {
  return [`${label}:`, ...quotationLines(text).map((line) => `> ${line}`)].join("\n");
}

export function quotedHtml({ label, text }: Quotation): string {
  const said = `<bdi>${escaped(quotationLines(text).join("\n"))}</bdi>`;
  return (
    `<p style="margin-bottom:2px;color:#616061">${escaped(label)}</p>` +
    `<blockquote style="margin:0;padding:4px 12px;border-left:3px solid #ccc;white-space:pre-wrap">${said}</blockquote>`
  );
}
