import { expect, test } from "vitest";
import { pastedArguments } from "../../src/cli/io/pasted-arguments.ts";

test("command-line arguments lose the joiners of our messages, except those for another program", () => {
  expect(pastedArguments(["approve", "jit\u2060_abc", "--", "echo", "a\u2060b"])).toEqual([
    "approve",
    "jit_abc",
    "--",
    "echo",
    "a\u2060b",
  ]);
});
