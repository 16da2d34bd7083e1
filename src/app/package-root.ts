import { resolve } from "node:path";

/** The folder that holds what comes with the program: migrations, the example configuration. */
export const packageRoot = resolve(import.meta.dirname, "../..");
