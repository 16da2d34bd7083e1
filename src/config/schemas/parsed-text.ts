import { z } from "zod";

/** The documentation of a text field, for editors and the API reference. */
interface FieldDocs {
  /** Names the shared definition in JSON Schema and OpenAPI. */
  readonly id?: string;
  readonly description: string;
  readonly examples?: string[];
  /** An approximate pattern for editors. Only `parse` decides. */
  readonly pattern?: string;
}

/**
 * A schema for a text that is parsed. `parse` returns undefined for invalid text, and `message` then says what is valid.
 * The input side stays a plain string, so that it has a JSON Schema.
 */
export function parsedText<T>(parse: (text: string) => T | undefined, message: string, docs: FieldDocs) {
  return z
    .string({ error: (issue) => (issue.code === "invalid_type" ? message : undefined) })
    .meta({ ...docs })
    .transform((text, context): T => {
      const value = parse(text);
      if (value !== undefined) return value;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    });
}
