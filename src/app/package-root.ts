import { resolve } from "node:path";

/** The folder of the files that ship with the program: migrations and the example configuration. */
export const packageRoot = resolve(import.meta.dirname, "../..");
