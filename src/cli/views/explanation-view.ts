import { reasonWords, outcomeWords } from "../../wording/policy-reasons.ts";
import type { ConditionVerdict, Evaluation, ScopeExplained } from "../api/api-schemas.ts";
import { riskText } from "./request-view.ts";
import { safeText } from "../io/safe-text.ts";

/** Formats a dry run: its outcome and approvers first, then every policy for each scope. */
export function formatEvaluation(evaluation: Evaluation): string {
  return [
    `${evaluation.outcome}${evaluation.refusal === null ? "" : `: ${evaluation.refusal.detail} (${evaluation.refusal.code})`}`,
    ...(evaluation.outcome === "BREAK_GLASS" ? [breakGlassLine] : []),
    ...(evaluation.risk === null ? [] : [`Risk ${riskText(evaluation.risk)}`]),
    ...evaluation.stages.map(
      ({ stage, required, approvers }) =>
        `Stage ${stage}: ${required} of ${approvers.map(({ name }) => name).join(", ")}`,
    ),
    ...(evaluation.approvalWindow === null ? [] : [`To be decided within ${evaluation.approvalWindow}`]),
    ...(evaluation.claimWindow === null || evaluation.outcome === "BREAK_GLASS"
      ? []
      : [`To be claimed within ${evaluation.claimWindow}`]),
    ...evaluation.scopes.flatMap((scope) => ["", ...scopeLines(scope)]),
  ]
    .map((line) => `${safeText(line)}\n`)
    .join("");
}

const breakGlassLine =
  "Nobody approves it: it would start at once, alert those the configuration names, and be reviewed afterwards";

function scopeLines({ scope, policy, reason, policies }: ScopeExplained): readonly string[] {
  const named = policy === null ? "" : ` ${policy.name}:`;
  return [
    `${scope} ->${named} ${reasons.get(reason) ?? reason}`,
    ...policies.flatMap(({ truth, name, standing, conditions }) => [
      `  ${mark(truth)} ${name}: ${outcomeTexts.get(standing) ?? standing}`,
      ...conditions.flatMap((condition) => conditionLines(condition, "      ")),
    ]),
  ];
}

function conditionLines(
  { condition, truth, actual, inside }: ConditionVerdict,
  indent: string,
): readonly string[] {
  const found = actual === null ? "" : `   found: ${actual}`;
  return [
    `${indent}${mark(truth)} ${conditionText(condition)}${found}`,
    ...inside.flatMap((nested) => conditionLines(nested, `${indent}    `)),
  ];
}

/** A mark for a truth value. All marks have the same width. */
function mark(truth: string): string {
  return truth === "true" ? "yes" : truth === "false" ? "no " : "?  ";
}

function conditionText(condition: Readonly<Record<string, unknown>>): string {
  if ("anyOf" in condition) return "any of";
  if ("not" in condition) return "not";
  const { type, operator, value, within } = condition;
  const span = within === undefined ? "" : ` within ${JSON.stringify(within)}`;
  return `${String(type)} ${String(operator)} ${JSON.stringify(value)}${span}`;
}

const reasons: ReadonlyMap<string, string> = new Map(Object.entries(reasonWords));
const outcomeTexts: ReadonlyMap<string, string> = new Map(Object.entries(outcomeWords));
