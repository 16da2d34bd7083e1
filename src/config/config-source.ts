import { isLoopback } from "./loopback.ts";

/** The file in the working directory that is used when `JIT_CONFIG` is not set. */
export const defaultConfigFile = "jit.yaml";
/** The example that ships with the program. */
export const exampleConfigFile = "jit.example.yaml";

export interface ConfigSourceFacts {
  /** `JIT_CONFIG`, when set. */
  readonly named?: { readonly file: string; readonly exists: boolean };
  readonly defaultExists: boolean;
  /** The address the server listens on. */
  readonly host: string;
  readonly isChatOrMailSet: boolean;
  /** What the rules in the database were last loaded from; undefined in a new database. */
  readonly lastSource: "file" | "example" | undefined;
}

export type ConfigSource =
  | { readonly use: "file"; readonly file: string }
  /** The log must warn about it. */
  | { readonly use: "example" }
  /** The service must not start. */
  | { readonly problem: string };

/**
 * Chooses the configuration to start with. The example grants access to invented people, so it is only for trying the
 * service out: on one machine, without chat or mail, and never on a database that was loaded from a file, because it would
 * replace those rules. See docs/configuration.md#which-file-is-used.
 */
export function chooseConfigFile(facts: ConfigSourceFacts): ConfigSource {
  const { named } = facts;
  if (named !== undefined) {
    return named.exists
      ? { use: "file", file: named.file }
      : { problem: `JIT_CONFIG names ${named.file}, which does not exist.` };
  }
  if (facts.defaultExists) return { use: "file", file: defaultConfigFile };
  const reason = reasonAgainstExample(facts);
  if (reason === undefined) return { use: "example" };
  return {
    problem:
      `There is no ${defaultConfigFile} here and JIT_CONFIG is not set. Copy ${exampleConfigFile} to ` +
      `${defaultConfigFile} and edit it, or name your file in JIT_CONFIG. The example itself is not used, because ${reason}.`,
  };
}

function reasonAgainstExample(facts: ConfigSourceFacts): string | undefined {
  if (!isLoopback(facts.host)) return "HOST can be reached from other machines";
  if (facts.isChatOrMailSet) return "chat or mail is set up";
  if (facts.lastSource === "file") return "the database has run on a file of its own";
  return undefined;
}
