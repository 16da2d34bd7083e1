import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { formatConfigProblem, readConfigFile, type Configuration } from "./config-file.ts";
import type { PlacedProblem } from "../core/refusals.ts";
import {
  chooseConfigFile,
  defaultConfigFile,
  exampleConfigFile,
  type ConfigSourceFacts,
} from "./config-source.ts";
import type { Settings } from "./environment.ts";

export type FoundConfiguration =
  | {
      readonly content: Configuration;
      readonly source: "file" | "example";
      readonly file: string;
      /** Lines for the operator about fields of this file. */
      readonly lines: (complaints: readonly PlacedProblem[]) => readonly string[];
    }
  /** Lines for the operator, with file, line and path. */
  | { readonly problems: readonly string[] };

/** Chooses the configuration file (contract §5), reads it and checks it. `shipped`: the folder the example came in. */
export function findConfiguration(
  settings: Settings,
  lastSource: ConfigSourceFacts["lastSource"],
  environment: Readonly<Record<string, string | undefined>>,
  shipped: string,
): FoundConfiguration {
  const named = settings.configFile;
  const choice = chooseConfigFile({
    ...(named !== undefined && { named: { file: named, exists: existsSync(named) } }),
    defaultExists: existsSync(defaultConfigFile),
    host: settings.host,
    isChatOrMailSet: [settings.slack, settings.teams, settings.email].some((group) => group !== undefined),
    lastSource,
  });
  if ("problem" in choice) return { problems: [choice.problem] };
  const file = choice.use === "example" ? join(shipped, exampleConfigFile) : choice.file;
  const text = readText(file);
  if (text === undefined) return { problems: [`${file} cannot be read.`] };
  const read = readConfigFile(text, file, environment);
  if ("problems" in read) return { problems: read.problems.map(formatConfigProblem) };
  const { ok, placed } = read;
  const lines = (complaints: readonly PlacedProblem[]) => placed(complaints).map(formatConfigProblem);
  return { content: ok, source: choice.use, file, lines };
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
