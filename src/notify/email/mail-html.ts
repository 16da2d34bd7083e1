import type { Fact } from "../../wording/card-text.ts";
import { footer, type Content, type RequestContent } from "./mail-content.ts";
import { escaped, htmlLine } from "./mail-lines.ts";
import { quotedHtml } from "./quotation.ts";
import type { WayToAct } from "./ways-to-act.ts";

const code = "font-family:ui-monospace,monospace";

/** Simple HTML for any mail program: no images, scripts, links or remote content. */
export function emailHtml({ heading, lines, about, ways }: Content): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"></head>',
    '<body style="font-family:sans-serif;font-size:15px;line-height:1.4;color:#1d1c1d">',
    `<h1 style="font-size:18px">${htmlLine(heading)}</h1>`,
    ...lines.map((line) => `<p>${htmlLine(line)}</p>`),
    ...(about === null ? [] : aboutHtml(about)),
    ways.length === 0
      ? ""
      : `<h2 style="font-size:15px">What you can do</h2><ul>${ways.map(htmlWay).join("")}</ul>`,
    `<p style="color:#616061;font-size:12px">${escaped(footer)}</p>`,
    "</body></html>",
  ].join("\n");
}

function aboutHtml({ access, terms, reason, facts, words }: RequestContent): readonly string[] {
  const name = access.catalogName === null ? "" : ` ${htmlLine([{ userText: access.catalogName }])}`;
  return [
    `<p style="margin-bottom:2px;color:#616061">Access${name}</p>`,
    `<ul style="margin:0">${access.scopes.map((scope) => `<li style="${code}">${escaped(scope)}</li>`).join("")}</ul>`,
    factTable(terms),
    quotedHtml(reason),
    factTable(facts),
    ...words.map(quotedHtml),
  ];
}

function factTable(facts: readonly Fact[]): string {
  return facts.length === 0 ? "" : `<table cellpadding="3">${facts.map(htmlFact).join("")}</table>`;
}

function htmlFact({ label, value }: Fact): string {
  return `<tr><td style="color:#616061;vertical-align:top">${escaped(label)}</td><td>${htmlLine(value)}</td></tr>`;
}

function htmlWay({ label, steps }: WayToAct): string {
  const lines = steps.map(({ where, what }) => `${where}: <span style="${code}">${escaped(what)}</span>`);
  return `<li>${[escaped(label), ...lines].join("<br>")}</li>`;
}
