import type { FastifySchemaCompiler } from "fastify";
import { z } from "zod";
import type { FieldProblem } from "../../core/values/refusals.ts";
import { fieldProblems } from "../../config/schemas/field-problems.ts";

/** Input that does not fit its schema, field by field. */
export class InvalidInput extends Error {
  override readonly name = "InvalidInput";
  readonly problems: readonly FieldProblem[];

  constructor(problems: readonly FieldProblem[]) {
    super("invalid input");
    this.problems = problems;
  }
}

/** Problems listed at most in one answer. */
const problemsMax = 50;

/** Validates by zod and complains with paths as the caller wrote them. */
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

/** For the making of a server: without it Fastify loads its compilers for JSON Schema, a tenth of a start, for nothing. */
export const noJsonSchemaCompilers = {
  compilersFactory: { buildValidator: () => refuseJsonSchema, buildSerializer: () => refuseJsonSchema },
};
