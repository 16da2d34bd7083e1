import { isLoopback } from "./loopback.ts";

/** Looked for in the working directory when `JIT_CONFIG` names nothing. */
export const defaultConfigFile = "jit.yaml";
/** Ships with the product. */
export const exampleConfigFile = "jit.example.yaml";

export interface ConfigSourceFacts {
  /** `JIT_CONFIG`, when set. */
  readonly named?: { readonly file: string; readonly exists: boolean };
  readonly defaultExists: boolean;
  /** Where we listen. */
  readonly host: string;
  readonly isChatOrMailSet: boolean;
  /** What the database's rules were last loaded from; undefined in a new one. */
  readonly lastSource: "file" | "example" | undefined;
}

export type ConfigSource =
  | { readonly use: "file"; readonly file: string }
  /** The log must say so. */
  | { readonly use: "example" }
  /** Not to be started with. */
  | { readonly problem: string };

/**
 * Which configuration to start with (contract §5). The example grants access to invented people, so it may only serve
 * someone who is trying the product out: on their own machine, unconnected, and never over a database that has run on
 * rules of its own, which it would replace.
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
