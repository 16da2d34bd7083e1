import type { FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import type { FieldProblem } from "../../core/values/refusals.ts";
import { fieldProblems } from "../../config/schemas/field-problems.ts";

/** Thrown for input that does not match its schema, with one problem for each field. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput";
  readonly problems: readonly FieldProblem[];

  constructor(problems: readonly FieldProblem[]) {
    super("invalid input");
    this.problems = problems;
  }
}

/** The most problems listed in one response. */
const problemsMax = 50;

/** Validates with zod and reports problems by the paths the caller wrote. */
export const validatorCompiler: FastifySchemaCompiler<unknown> = ({ schema }) => {
  if (!(schema instanceof z.ZodType)) return refuseJsonSchema();
  return (input: unknown) => {
    const parsed = schema.safeParse(input);
    if (parsed.success) return { value: parsed.data };
    return { error: new InvalidInput(fieldProblems(parsed.error, input).slice(0, problemsMax)) };
  };
};

function refuseJsonSchema(): never {
  throw new TypeError("a route's schemas are zod schemas");
}

/** Keeps Fastify from loading its JSON Schema compilers, which we do not use and which take a tenth of a start. */
export const noJsonSchemaCompilers = {
  compilersFactory: { buildValidator: () => refuseJsonSchema, buildSerializer: () => refuseJsonSchema },
};
