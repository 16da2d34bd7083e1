import { footer, type Content } from "./content.ts";
import { escaped, htmlLine, oneLine } from "./lines.ts";
import type { WayToAct } from "./what-to-do.ts";

const labelMax = 120;
const code = "font-family:ui-monospace,monospace";

/** Plain enough for any mail program: no image, no script, no link, nothing loaded from anywhere. */
export function letterHtml({ heading, lines, facts, ways, words }: Content): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"></head>',
    '<body style="font-family:sans-serif;font-size:15px;line-height:1.4;color:#1d1c1d">',
    `<h1 style="font-size:18px">${htmlLine(heading)}</h1>`,
    ...lines.map((line) => `<p>${htmlLine(line)}</p>`),
    facts.length === 0 ? "" : `<table cellpadding="3">${facts.map(htmlFact).join("")}</table>`,
    ways.length === 0
      ? ""
      : `<h2 style="font-size:15px">What you can do</h2><ul>${ways.map(htmlWay).join("")}</ul>`,
    ...words.map(htmlWords),
    `<p style="color:#616061;font-size:12px">${escaped(footer)}</p>`,
    "</body></html>",
  ].join("\n");
}

function htmlFact({ label, value }: Content["facts"][number]): string {
  return `<tr><td style="color:#616061;vertical-align:top">${escaped(label)}</td><td>${htmlLine(value)}</td></tr>`;
}

function htmlWay({ label, command, chat }: WayToAct): string {
  const where = [
    ...(command === null ? [] : [`in a terminal: <span style="${code}">${escaped(command)}</span>`]),
    ...(chat === null ? [] : [`in chat: <span style="${code}">${escaped(chat)}</span>`]),
  ];
  return `<li>${escaped(label)}<br>${where.join("<br>")}</li>`;
}

/** In a frame of their own, so that they cannot go on where our sentences end. */
function htmlWords({ label, text }: Content["words"][number]): string {
  const said = `<bdi>${escaped(text)}</bdi>`;
  return (
    `<p style="margin-bottom:2px;color:#616061"><bdi>${escaped(oneLine(label, labelMax))}</bdi></p>` +
    `<blockquote style="margin:0;padding:4px 12px;border-left:3px solid #ccc;white-space:pre-wrap">${said}</blockquote>`
  );
}
