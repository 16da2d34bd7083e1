import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readConfigFile, readConfigInSlices } from "../../src/config/config-file.ts";
import { findConfiguration } from "../../src/config/find-configuration.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";

leavesNothingBehind();

const people = (count: number, name = "Person"): string =>
  Array.from(
    { length: count },
    (_, index) =>
      `  - { id: id_p${index}, email: p${index}@company.com, name: ${name} ${index}, groups: [a, b] }\n`,
  ).join("");
const file = (count: number, name?: string): string =>
  `identities:\n${people(count, name)}default: { name: default, approval: { stages: [ { approvers: [p0@company.com] } ] } }\n`;

function slicesOf(text: string): { readonly pauses: number; readonly read: unknown } {
  const work = readConfigInSlices(text, "jit.yaml", {});
  for (let pauses = 0; ; pauses++) {
    const part = work.next();
    if (part.done === true) return { pauses, read: part.value };
  }
}

test("a long file is read in slices, more of them the longer it is, with the result of reading it at once", async () => {
  const [short, long, longer] = [slicesOf(file(1)), slicesOf(file(1_000)), slicesOf(file(2_000))];
  expect(long.pauses).toBeGreaterThan(short.pauses + 4);
  expect(longer.pauses).toBeGreaterThan(long.pauses + 4);
  const atOnce = readConfigFile(file(1_000), "jit.yaml", {});
  expect(long.read).toMatchObject({ ok: "ok" in atOnce ? atOnce.ok : undefined });
});

test("problems of a file that is read in slices have the same positions", async () => {
  const text = file(300)
    .replace("id: id_p250,", "id: wrong one,")
    .replace("groups: [a, b] }\n", "groups: [a, b]\n  }\n");
  expect(slicesOf(text).read).toEqual(readConfigFile(text, "jit.yaml", {}));
  expect(readConfigFile(text, "jit.yaml", {})).toMatchObject({
    problems: [{ line: 253, path: "identities.250.id" }],
  });
});

async function find(configFile: string, pause: () => Promise<void>) {
  const settings = readEnvironment({ JIT_CONFIG: configFile });
  if ("problems" in settings) throw new Error("settings");
  return findConfiguration(settings.ok, "file", {
    environment: {},
    inUse: new Set(),
    packageRoot: "/nowhere",
    pause,
  });
}

test("a file that changes while it is read is read again, so that a half-written one never counts", async () => {
  const path = join(temporaryFolder(), "jit.yaml");
  writeFileSync(path, file(10));
  let pauses = 0;
  const found = await find(path, async () => {
    if (pauses++ !== 1) return;
    writeFileSync(`${path}.new`, file(12, "New"));
    renameSync(`${path}.new`, path);
  });
  expect(found).toMatchObject({ content: { identities: { length: 12, 0: { name: "New 0" } } } });
});

test("a file that keeps changing is refused, and a pipe is never waited for", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "jit.yaml");
  let turn = 0;
  writeFileSync(path, file(10));
  const found = await find(path, async () => writeFileSync(path, file(10, `Name${turn++}`)));
  expect(found).toEqual({
    problems: [`${path} was changed each time it was read; reload again when it is complete.`],
  });
  expect(await find(folder, async () => {})).toEqual({ problems: [`${folder} is not a file.`] });
});
