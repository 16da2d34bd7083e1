import { z } from "zod";

/** What editors and readers of the API are shown about a text. */
interface Shown {
  /** Names the shared definition in JSON Schema and OpenAPI. */
  readonly id?: string;
  readonly description: string;
  readonly examples?: string[];
  /** A rough shape for editors; `parse` alone decides. */
  readonly pattern?: string;
}

/**
 * A schema for a text with a meaning: `parse` gives the meaning or undefined, `message` then says what is accepted.
 * The written side stays a plain string, so that it can be shown as JSON Schema.
 */
export function parsedText<T>(parse: (text: string) => T | undefined, message: string, shown: Shown) {
  return z
    .string({ error: (issue) => (issue.code === "invalid_type" ? message : undefined) })
    .meta({ ...shown })
    .transform((text, context): T => {
      const meaning = parse(text);
      if (meaning !== undefined) return meaning;
      context.addIssue({ code: "custom", message });
      return z.NEVER;
    });
}
