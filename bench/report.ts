import { cpus } from "node:os";
import type { Expected, Row } from "./part.ts";

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
  return [
    `## ${title}`,
    "",
    `On ${new Date().toISOString().slice(0, 10)}, Node ${process.version}.`,
    "",
    tableOf(rows),
    "",
  ].join("\n");
}

export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => {
    const { what, unit, measured, raw, ratio, expected } = row;
    return `| ${[what, unit, rounded(measured), rounded(raw), rounded(ratio), expectedText(expected)].join(" | ")} |`;
  });
  return [
    "| what | unit | measured | raw | ratio | expected |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
    ...lines,
  ].join("\n");
}

function expectedText(expected: Expected | undefined): string {
  if (expected === undefined) return "";
  return "atLeast" in expected ? `≥ ${expected.atLeast}` : `≤ ${expected.atMost}`;
}

/** Three significant digits; whole numbers from 100 on. */
function rounded(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
