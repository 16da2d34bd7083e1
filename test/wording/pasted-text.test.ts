import { expect, test } from "vitest";
import { pastedArguments } from "../../src/cli/io/pasted-arguments.ts";

test("arguments of the command line lose the marks that messages have, those of another program do not", () => {
  expect(pastedArguments(["approve", "jit\u2060_abc", "--", "echo", "a\u2060b"])).toEqual([
    "approve",
    "jit_abc",
    "--",
    "echo",
    "a\u2060b",
  ]);
});
