import { z } from "zod";
import { configSchema } from "./config-schema.ts";

/** The JSON Schema of the configuration file, for editors. Draft 7, because all of them support it. */
export function configJsonSchema() {
  return {
    ...z.toJSONSchema(configSchema, { io: "input", target: "draft-7" }),
    title: "jit-access configuration",
  };
}
