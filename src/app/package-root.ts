import { resolve } from "node:path";

/** The folder that holds what comes with the program: migrations, the example configuration. */
export const shipped = resolve(import.meta.dirname, "../..");
