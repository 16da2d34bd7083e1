import { parts } from "./parts/parts.ts";

/** Runs the part named on the command line and prints its rows as the last line, for run.ts. */
const part = parts[process.argv[2] ?? ""];
if (part === undefined) throw new Error("no such part");
process.stdout.write(`${JSON.stringify(await part())}\n`);
