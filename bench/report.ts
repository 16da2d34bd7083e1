import { cpus } from "node:os";
import { isMet, type Aim, type Row } from "./part.ts";

const more = "– ";

/**
 * The text of RESULTS.md, with a section for each kind of machine, because even the ratios depend on the speed of its
 * processor and disk. A run replaces the section of its own machine.
 *
 * @param before the current text
 */
export function report(rows: readonly Row[], before: string): string {
  const title = machine();
  const others = sectionsOf(before).filter((section) => !section.startsWith(`## ${title}\n`));
  return [
    "# Results",
    "",
    "Written by `npm run bench`; the files in `bench/parts/` explain each line. Absolute numbers depend on the machine. The ratio to the raw limit counts: the same work by the bare libraries, measured alternately in the same run. All figures are medians over rounds. Each section is the last complete run on its machine, with the code of that day.",
    "",
    sectionOf(title, rows),
    ...others,
  ].join("\n");
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} cores of ${cpu?.model ?? "an unknown kind"}`;
}

function sectionsOf(text: string): readonly string[] {
  return text.split(/^(?=## )/m).slice(1);
}

function sectionOf(title: string, rows: readonly Row[]): string {
  const missed = rows.filter((row) => !isMet(row));
  return [
    `## ${title}`,
    "",
    `On ${new Date().toISOString().slice(0, 10)}, Node ${process.version}.`,
    "",
    tableOf(rows),
    "",
    ...(missed.length === 0
      ? ["Every aim is met in this run."]
      : [
          "Aims missed:",
          "",
          ...missed.map(
            (row) => `- ${nameOf(row, rows)}: ${rounded(row.ratio)} instead of ${aimText(row.aim)}.`,
          ),
        ]),
    "",
  ].join("\n");
}

/** The name of a row. A row that begins with a dash belongs to the last one above it without a dash. */
function nameOf(row: Row, rows: readonly Row[]): string {
  if (!row.what.startsWith(more)) return row.what;
  const main = rows.slice(0, rows.indexOf(row)).findLast(({ what }) => !what.startsWith(more));
  return `${main?.what}, ${row.what.slice(more.length)}`;
}

export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { what, unit, measured, raw, ratio, aim } = row;
    const verdict = aim === undefined ? "" : isMet(row) ? "met" : "**missed**";
    return `| ${[what, unit, rounded(measured), rounded(raw), rounded(ratio), aimText(aim), verdict].join(" | ")} |`;
  });
  return [
    "| what | unit | measured | raw | ratio | aim | |",
    "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ...lines,
  ].join("\n");
}

function aimText(aim: Aim | undefined): string {
  if (aim === undefined) return "";
  return "atLeast" in aim ? `≥ ${aim.atLeast}` : `≤ ${aim.atMost}`;
}

/** Three significant digits; whole numbers from 100 on. */
function rounded(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
