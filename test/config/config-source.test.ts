import { describe, expect, test } from "vitest";
import { chooseConfigFile, type ConfigSourceFacts } from "../../src/config/config-source.ts";

/** The facts of somebody who tries the service out. */
const trying: ConfigSourceFacts = {
  defaultExists: false,
  host: "127.0.0.1",
  isChatOrMailSet: false,
  lastSource: undefined,
};

describe("the operator's own file is always used", () => {
  test("the file of JIT_CONFIG before the default", () => {
    const named = { file: "/etc/jit.yaml", exists: true };
    expect(chooseConfigFile({ ...trying, named, defaultExists: true })).toEqual({
      use: "file",
      file: "/etc/jit.yaml",
    });
  });

  test("the default one", () => {
    expect(chooseConfigFile({ ...trying, defaultExists: true })).toEqual({ use: "file", file: "jit.yaml" });
  });

  test("a missing file of JIT_CONFIG stops the start, whatever else exists", () => {
    const named = { file: "/etc/jit.yaml", exists: false };
    for (const defaultExists of [true, false]) {
      expect(chooseConfigFile({ ...trying, named, defaultExists })).toEqual({
        problem: "JIT_CONFIG names /etc/jit.yaml, which does not exist.",
      });
    }
  });
});

describe("the example is used only for trying out", () => {
  test.each(["127.0.0.1", "127.8.9.10", "localhost", "::1"])("on %s", (host) => {
    expect(chooseConfigFile({ ...trying, host })).toEqual({ use: "example" });
  });

  test("again for the database it was loaded into", () => {
    expect(chooseConfigFile({ ...trying, lastSource: "example" })).toEqual({ use: "example" });
  });

  const refused: [string, Partial<ConfigSourceFacts>, string][] = [
    ["reachable from outside", { host: "0.0.0.0" }, "HOST can be reached from other machines"],
    ["under a name of its own", { host: "127.0.0.1.company.com" }, "HOST can be reached from other machines"],
    ["connected to people", { isChatOrMailSet: true }, "chat or mail is set up"],
    [
      "over a database with rules of its own",
      { lastSource: "file" },
      "the database has run on a file of its own",
    ],
  ];

  test.each(refused)("never %s; the problem says what to do", (_name, facts, reason) => {
    const source = chooseConfigFile({ ...trying, ...facts });
    expect(source).toEqual({ problem: expect.stringContaining(reason) });
    expect(source).toEqual({ problem: expect.stringContaining("Copy jit.example.yaml to jit.yaml") });
  });
});
