import { cpus } from "node:os";
import { isMet, type Aim, type Row } from "./part.ts";

/** The text of RESULTS.md. */
export function report(rows: readonly Row[]): string {
  const missed = rows.filter((row) => !isMet(row));
  const [cpu] = cpus();
  return [
    "# Results",
    "",
    `\`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores (${cpu?.model ?? "unknown"}), Node ${process.version}. Written by that command; what each line means is said in the parts under \`bench/parts/\`.`,
    "",
    "Absolute numbers belong to this machine. What counts is the ratio to the raw limit: the same work by the bare libraries, measured by turns in the same run. Medians over rounds.",
    "",
    tableOf(rows),
    "",
    "## Aims missed",
    "",
    ...(missed.length === 0
      ? ["None in this run."]
      : missed.map((row) => `- ${row.what}: ${rounded(row.ratio)} instead of ${aimText(row.aim)}.`)),
    "",
  ].join("\n");
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

/** Three digits that matter; from 100 on whole numbers. */
function rounded(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(3);
}
