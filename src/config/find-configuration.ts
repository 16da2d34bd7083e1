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

/** A file that changes while it is read is read again, so many times at most. */
const readingsMax = 20;

export type FoundConfiguration =
  | {
      readonly content: Configuration;
      readonly source: "file" | "example";
      readonly file: string;
      /** Lines for the operator about fields of this file. */
      readonly lines: (complaints: readonly PlacedProblem[]) => readonly string[];
    }
  /** Lines for the operator, with file, line and path; and texts of the file that hold tokens, to be ended. */
  | { readonly problems: readonly string[]; readonly leaked?: readonly string[] };

/** How the service reads its configuration. */
export interface ReadingContext {
  /** What `env:NAME` stands for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Connectors that hold objects of ours: a variable that one of them lacks does not refuse the file. */
  readonly held: ReadonlySet<string>;
  /** The folder the example came in. */
  readonly packageRoot: string;
  /** Waited for between the slices of a long file, so that others are served meanwhile. */
  readonly pause: () => Promise<void>;
}

/** Chooses the configuration file (contract §5), reads it and checks it. */
export async function findConfiguration(
  settings: Settings,
  lastSource: ConfigSourceFacts["lastSource"],
  { environment, held, packageRoot, pause }: ReadingContext,
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
  for (let count = 0; count < readingsMax; count++) {
    const found = readTextFile(file);
    if ("problem" in found) return { problems: [`${file} ${found.problem}.`] };
    const read = await inParts(readConfigInSlices(found.text, file, environment, held), pause);
    // Half of a file that is being written can be a valid one, and would deactivate whoever is missing.
    if (!isUnchanged(file, found)) continue;
    if ("problems" in read) {
      const { leaked = [] } = read;
      return { problems: read.problems.map(formatConfigProblem), leaked };
    }
    const { ok, placed } = read;
    const lines = (complaints: readonly PlacedProblem[]) => placed(complaints).map(formatConfigProblem);
    return { content: ok, source: choice.use, file, lines };
  }
  return { problems: [`${file} was changed each time it was read; reload again when it is complete.`] };
}

/** Pauses after each part: each is so large that others should have their turn. */
async function inParts<T>(work: Work<T>, pause: () => Promise<void>): Promise<T> {
  for (;;) {
    const part = work.next();
    if (part.done === true) return part.value;
    await pause();
  }
}
