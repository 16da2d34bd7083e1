import { writeFileSync } from "node:fs";
import { configJsonSchema } from "./config-json-schema.ts";

writeFileSync("jit.schema.json", `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
