import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandNames } from "../../src/wording/parse-command.ts";
import { commandHelp } from "../../src/wording/help.ts";
import { actionLabels, noteLabels, showMoreLabel } from "../../src/wording/labels.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/chat.md"), "utf8");

test("the chat page lists every command with its help text, and no other", () => {
  const rows = [...page.matchAll(/^\| `(.+?)`\s*\| (.+?)\s*\|$/gm)].map(([, usage, does]) => ({
    usage,
    does,
  }));
  expect(rows).toEqual(
    commandNames.map((name) => ({ usage: commandHelp[name].usage, does: commandHelp[name].does })),
  );
});

test("every button the chat page names exists", () => {
  const labels: readonly string[] = [
    ...Object.values(actionLabels),
    ...Object.values(noteLabels),
    showMoreLabel,
    "Break glass",
  ];
  const named = [...page.matchAll(/\*\*([A-Z][^*]+)\*\*/g)].map(([, label = ""]) => label);
  expect(named.length).toBeGreaterThan(5);
  for (const label of named) expect(labels).toContain(label);
});
