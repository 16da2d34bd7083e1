import type { z } from "zod";
import type { FieldProblem, PlacedProblem } from "../../core/values/refusals.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The problems of `input` by field, with dotted paths as the caller wrote them. */
export function fieldProblems(error: Pick<z.ZodError, "issues">, input: unknown): FieldProblem[] {
  return placedProblems(error, input).map(({ path, message }) => ({ path: path.join("."), message }));
}

/** Like {@link fieldProblems}, with paths as lists. An unknown or missing field is named itself, not its object. */
export function placedProblems(error: Pick<z.ZodError, "issues">, input: unknown): PlacedProblem[] {
  return error.issues.flatMap((issue) => explain(issue, [], input));
}

/** Explains an issue in `input`, which is the value at `base`. The issue's path is relative to it. */
function explain(issue: Issue, base: Path, input: unknown): PlacedProblem[] {
  const path = [...base, ...issue.path];
  const value = at(input, issue.path);
  const named = (message: string, ...more: string[]) => ({ path: [...path.map(String), ...more], message });
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => named("is an unknown field", key));
    case "invalid_union":
      if (isMissing(input, issue.path)) return [named("is missing")];
      if (issue.errors.length === 0) return [named(choicesOf(issue))];
      return closest(issue.errors, value).flatMap((inner) => explain(inner, path, value));
    case "invalid_key":
    case "invalid_element":
      return issue.issues.flatMap((inner) => explain(inner, path, value));
    case "invalid_value":
      return [named(isMissing(input, issue.path) ? "is missing" : `must be ${oneOf(issue.values)}`)];
    case "invalid_type":
    case "too_big":
    case "too_small":
      return [named(isMissing(input, issue.path) ? "is missing" : sizeOrTypeText(issue))];
    case "invalid_format":
    case "not_multiple_of":
      return [named(isMissing(input, issue.path) ? "is missing" : issue.message)];
    case "custom":
      return [named(issue.message)];
  }
}

type SizeOrType = Extract<Issue, { code: "invalid_type" | "too_big" | "too_small" }>;

/** Our text for zod's default messages. A message set by the schema wins. */
function sizeOrTypeText(issue: SizeOrType): string {
  if (!/^(Too (big|small)|Invalid input): expected /.test(issue.message)) return issue.message;
  if (issue.code === "invalid_type") return typeTexts[issue.expected] ?? issue.message;
  const isMost = issue.code === "too_big";
  const limit = Number(isMost ? issue.maximum : issue.minimum);
  const isEmptiness = !isMost && limit === 1;
  const bound = `at ${isMost ? "most" : "least"} ${limit.toLocaleString("en")}`;
  switch (issue.origin) {
    case "string":
      return isEmptiness ? "must not be empty" : `must have ${bound} characters`;
    case "array":
      return isEmptiness ? "must not be empty" : `must hold ${bound} ${limit === 1 ? "entry" : "entries"}`;
    default:
      return `must be ${bound}`;
  }
}

const typeTexts: Readonly<Partial<Record<string, string>>> = {
  string: "must be a text",
  number: "must be a number",
  int: "must be a whole number",
  boolean: "must be true or false",
  array: "must be a list",
  object: "must be an object with fields",
  record: "must be an object with fields",
};

/**
 * The issues of the union member that fits the value best: the one with the fewest missing and unknown fields, and the
 * first among equals.
 */
function closest(branches: readonly (readonly Issue[])[], value: unknown): readonly Issue[] {
  let best: readonly Issue[] = [];
  let lowestCost = Infinity;
  for (const issues of branches) {
    const cost = issues.reduce((sum, issue) => sum + mismatchCost(issue, value), 0);
    if (cost < lowestCost) [best, lowestCost] = [issues, cost];
  }
  return best;
}

function mismatchCost(issue: Issue, value: unknown): number {
  if (issue.code === "unrecognized_keys") return issue.path.length === 0 ? issue.keys.length : 0;
  return issue.path.length === 1 && isMissing(value, issue.path) ? 100 : 0;
}

function choicesOf(issue: z.core.$ZodIssueInvalidUnion): string {
  return "options" in issue && Array.isArray(issue.options)
    ? `must be ${oneOf(issue.options)}`
    : issue.message;
}

function oneOf(values: readonly unknown[]): string {
  const texts = values.map(String);
  return texts.length === 1 ? texts.join("") : `one of ${texts.join(", ")}`;
}

/** Whether the last field of `path` is missing in an object that exists. */
function isMissing(input: unknown, path: Path): boolean {
  const last = path.at(-1);
  const parent = at(input, path.slice(0, -1));
  return last !== undefined && typeof parent === "object" && parent !== null && !Object.hasOwn(parent, last);
}

function at(input: unknown, path: Path): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
