import { quotationLines, type Quotation } from "../../wording/user-text.ts";
import { escaped } from "./mail-lines.ts";

/*
 * All user text in e-mails is formatted here. In plain text each of its lines begins with `> `, like a quotation; in
 * HTML it is in a block of its own.
 */

export function quotedText({ label, text }: Quotation): string {
  return [`${label}:`, ...quotationLines(text).map((line) => `> ${line}`)].join("\n");
}

export function quotedHtml({ label, text }: Quotation): string {
  const content = `<bdi>${escaped(quotationLines(text).join("\n"))}</bdi>`;
  return (
    `<p style="margin-bottom:2px;color:#616061">${escaped(label)}</p>` +
    `<blockquote style="margin:0;padding:4px 12px;border-left:3px solid #ccc;white-space:pre-wrap">${content}</blockquote>`
  );
}
