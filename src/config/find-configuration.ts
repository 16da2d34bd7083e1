import { existsSync } from "node:fs";
import { join } from "node:path";
import { formatConfigProblem, readConfigInSlices, type Configuration } from "./config-file.ts";
import type { PlacedProblem } from "../core/values/refusals.ts";
import type { Work } from "../core/values/sliced-work.ts";
import {
  chooseConfigFile,
  defaultConfigFile,
  exampleConfigFile,
  type ConfigSourceFacts,
} from "./config-source.ts";
import type { Settings } from "./environment.ts";
import { isUnchanged, readTextFile } from "./text-file.ts";

/** How often a file that changes while it is read is read again. */
const readAttemptsMax = 20;

export type FoundConfiguration =
  | {
      readonly content: Configuration;
      readonly source: "file" | "example";
      readonly file: string;
      /** Formats problems of this file's fields as lines for the operator. */
      readonly lines: (problems: readonly PlacedProblem[]) => readonly string[];
    }
  /** Lines for the operator, with file, line and path; and texts of the file that hold tokens and must be revoked. */
  | { readonly problems: readonly string[]; readonly leaked?: readonly string[] };

/** How the service reads its configuration. */
export interface ReadingContext {
  /** The values of `env:NAME`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Connectors that hold objects. A missing variable of one of them does not reject the file. */
  readonly inUse: ReadonlySet<string>;
  /** The folder of the example. */
  readonly packageRoot: string;
  /** Called between the slices of a long file, so that other work continues meanwhile. */
  readonly pause: () => Promise<void>;
}

/** Chooses, reads and checks the configuration file. */
export async function findConfiguration(
  settings: Settings,
  lastSource: ConfigSourceFacts["lastSource"],
  { environment, inUse, packageRoot, pause }: ReadingContext,
): Promise<FoundConfiguration> {
  const named = settings.configFile;
  const choice = chooseConfigFile({
    ...(named !== undefined && { named: { file: named, exists: existsSync(named) } }),
    defaultExists: existsSync(defaultConfigFile),
    host: settings.host,
    isChatOrMailSet: [settings.slack, settings.teams, settings.email].some((group) => group !== undefined),
    lastSource,
  });
  if ("problem" in choice) return { problems: [choice.problem] };
  const file = choice.use === "example" ? join(packageRoot, exampleConfigFile) : choice.file;
  for (let attempt = 0; attempt < readAttemptsMax; attempt++) {
    const found = readTextFile(file);
    if ("problem" in found) return { problems: [`${file} ${found.problem}.`] };
    const read = await runSlices(readConfigInSlices(found.text, file, environment, inUse), pause);
    // A half-written file can be valid, and loading it would deactivate everybody who is missing in it.
    if (!isUnchanged(file, found)) continue;
    if ("problems" in read) {
      const { leaked = [] } = read;
      return { problems: read.problems.map(formatConfigProblem), leaked };
    }
    const { ok, locate } = read;
    const lines = (problems: readonly PlacedProblem[]) => locate(problems).map(formatConfigProblem);
    return { content: ok, source: choice.use, file, lines };
  }
  return { problems: [`${file} was changed each time it was read; reload again when it is complete.`] };
}

/** Runs the work, and pauses after each slice. */
async function runSlices<T>(work: Work<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const slice = work.next();
    if (slice.done === true) return slice.value;
    await pause();
  }
}
