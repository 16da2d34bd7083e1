import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { exitCodes } from "../../src/cli/io/exit-codes.ts";
import { createProgram } from "../../src/cli/program.ts";
import { defaultUrl } from "../../src/cli/io/settings.ts";
import { codeIn, fencesOf, rowNames, tableUnder } from "../support/markdown.ts";

const docs = resolve(import.meta.dirname, "../../docs");
const page = readFileSync(join(docs, "cli.md"), "utf8");
const fences = [page, readFileSync(join(docs, "tutorial-cli.md"), "utf8")].flatMap(fencesOf);
const unused = (): never => {
  throw new Error("nothing is run here");
};
const program = createProgram({
  io: {
    environment: {},
    out: unused,
    err: unused,
    isTerminal: false,
    columns: 80,
    timeoutMs: 0,
    now: unused,
    pause: unused,
  },
  open: unused,
  exitWith: unused,
});

/** Every runnable command, by its full name. */
const commandsOf = (command: Command, before = ""): readonly (readonly [name: string, command: Command])[] =>
  command.commands.flatMap((one) =>
    one.commands.length === 0
      ? [[before + one.name(), one] as const]
      : commandsOf(one, `${before}${one.name()} `),
  );
const commands = new Map(commandsOf(program));

describe("the page is complete:", () => {
  test("commands", () => {
    expect(rowNames(page, "## Commands").toSorted()).toEqual([...commands.keys()].toSorted());
  });

  test("exit codes, as in the code", () => {
    const rows = tableUnder(page, "## Exit codes").map(([code, means]) => `${codeIn(code)[0]} ${means}`);
    expect(rows).toEqual(Object.values(exitCodes).map(({ code, means }) => `${code} ${means}`));
  });

  test("settings, with their defaults", () => {
    const rows = tableUnder(page, "## Settings").map(([name, value]) => [codeIn(name)[0], codeIn(value)[0]]);
    expect(rows).toEqual([
      ["JIT_URL", defaultUrl],
      ["JIT_KEY", undefined],
      ["JIT_KEY_FILE", undefined],
    ]);
    const help = program.helpInformation();
    expect(help).toContain("--key-file");
  });
});

describe("what the page names exists:", () => {
  /** The arguments of every `jit …` in a block, up to the next shell operator. */
  const lines = fences
    .filter(({ info }) => info.startsWith("bash"))
    .flatMap(({ content }) => [...content.matchAll(/\bjit ([a-z][^|>\n]*)/g)])
    .map(([, words = ""]) => words.replaceAll(/"[^"]*"|'[^']*'/g, "X").split(/ -- | \| /)[0] ?? "")
    .filter((words) => !words.startsWith("jit"));

  test("commands and options of the examples", () => {
    expect(lines.length).toBeGreaterThan(20);
    const unknown = lines.flatMap((line) => {
      const words = line.replace(/\)$/, "").trim().split(/\s+/);
      const command = commands.get(words.slice(0, 2).join(" ")) ?? commands.get(words[0] ?? "");
      if (command === undefined) return [line];
      const known = [...command.options, ...program.options].map(({ long }) => long);
      return words
        .filter((word) => word.startsWith("--") && !known.includes(word))
        .map((word) => `${line}: ${word}`);
    });
    expect(unknown).toEqual([]);
  });

  test("options of the table", () => {
    const unknown = tableUnder(page, "## Commands").flatMap(([name, does]) => {
      const command = commands.get(codeIn(name)[0] ?? "");
      const known = command?.options.map(({ long }) => long) ?? [];
      return codeIn(does).filter((code) => code.startsWith("--") && !known.includes(code));
    });
    expect(unknown).toEqual([]);
  });
});
