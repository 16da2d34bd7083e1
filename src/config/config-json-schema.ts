import { z } from "zod";
import { configSchema } from "./config-schema.ts";

/** The configuration file as JSON Schema, for editors; draft 7 is the one they all know. */
export function configJsonSchema() {
  return {
    ...z.toJSONSchema(configSchema, { io: "input", target: "draft-7" }),
    title: "jit-access configuration",
  };
}
