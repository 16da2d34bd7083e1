import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { rules, orders, own } from "./support/folder-rules.ts";

const filesPerFolderMax = 24;
const topLevelMax = 17;

const src = resolve(import.meta.dirname, "../src");
/** What follows `from` or `import` at the start of a statement or the end of its braces, or is imported on demand. */
const importPattern = /(?:^|[\s}])(?:from|import)\s*\(?\s*["']([^"'\s]+)["']/gm;

/** Every source file, by its path under src, with what it imports: files as paths under src, packages as named. */
const imports = new Map<string, string[]>(
  readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .map((path) => [path, importsOf(path)]),
);

function importsOf(path: string): string[] {
  return [...readFileSync(join(src, path), "utf8").matchAll(importPattern)].map(([, specifier = ""]) =>
    specifier.startsWith(".") ? relative(src, resolve(src, dirname(path), specifier)) : specifier,
  );
}

/** The folders a file lies in, the innermost first, after the file itself. */
function placesOf(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.map((_, index) => parts.slice(0, parts.length - index).join("/"));
}

function forbiddenImports(path: string, imported: readonly string[]): string[] {
  const place = placesOf(path).find((one) => rules[one] !== undefined);
  const rule = rules[place ?? ""];
  if (rule === undefined) return [`${path} lies in no folder with a rule`];
  const ownFolder = path.split("/")[0] ?? "";
  return imported
    .filter((one) =>
      imports.has(one)
        ? ![ownFolder, ...rule.folders].includes(one.split("/")[0] ?? "")
        : !rule.packages.includes(one),
    )
    .map((one) => `${path} must not import ${one}`);
}

/** The sub-folder of `folder` that a path below it lies in. */
function subFolder(folder: string, path: string): string {
  const rest = path.slice(folder.length + 1).split("/");
  return rest.length === 1 ? own : (rest[0] ?? own);
}

function upwardImports(folder: string, order: readonly (readonly string[])[]): string[] {
  const rankOf = (sub: string): number => order.findIndex((line) => line.includes(sub));
  const isBelow = (path: string): boolean => path.startsWith(`${folder}/`);
  return [...imports]
    .filter(([path]) => isBelow(path))
    .flatMap(([path, all]) => {
      const from = subFolder(folder, path);
      if (rankOf(from) < 0) return [`${path} lies in no declared sub-folder of ${folder}`];
      return all
        .filter((one) => imports.has(one) && isBelow(one))
        .map((one) => ({ one, to: subFolder(folder, one) }))
        .filter(({ to }) => to !== from && rankOf(to) >= rankOf(from))
        .map(({ one }) => `${path} must not import ${one}`);
    });
}

/** Files already found to lie on no cycle. */
const settled = new Set<string>();

/** The first import cycle reached from `path`, type-only imports counted; undefined when there is none. */
function cycleFrom(path: string, trail: readonly string[] = []): readonly string[] | undefined {
  if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
  if (settled.has(path)) return undefined;
  for (const next of imports.get(path) ?? []) {
    const cycle = imports.has(next) ? cycleFrom(next, [...trail, path]) : undefined;
    if (cycle !== undefined) return cycle;
  }
  settled.add(path);
  return undefined;
}

function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

test("the check reads the source at all", () => {
  expect(imports.size).toBeGreaterThan(400);
  expect([...imports.values()].flat().length).toBeGreaterThan(2_000);
});

test("every file imports only what its folder allows", () => {
  expect([...imports].flatMap(([path, all]) => forbiddenImports(path, all))).toEqual([]);
});

describe("sub-folders import in one direction:", () => {
  test.each(Object.entries(orders))("%s", (folder, order) => {
    expect(upwardImports(folder, order)).toEqual([]);
  });

  test("every folder with sub-folders has declared their order", () => {
    const folders = new Set([...imports.keys()].flatMap((path) => placesOf(path).slice(1)));
    const parents = new Set([...folders].map(dirname).filter((parent) => parent !== "."));
    expect([...parents].toSorted()).toEqual(Object.keys(orders).toSorted());
  });
});

test("only src/store knows the database it uses", () => {
  const database = /^(?:better-sqlite3|drizzle-orm)|^store\/(?!open-store\.ts$|back-up-store\.ts$)/;
  const found = [...imports]
    .filter(([path]) => !path.startsWith("store/"))
    .flatMap(([path, all]) => all.filter((one) => database.test(one)).map((one) => `${path} imports ${one}`));
  expect(found).toEqual([]);
});

test("no file imports itself by any route", () => {
  const cycle = [...imports.keys()].map((path) => cycleFrom(path)).find((found) => found !== undefined);
  expect(cycle?.join(" → ")).toBeUndefined();
});

test(`no folder holds more than ${filesPerFolderMax} files, and src no more than ${topLevelMax} names`, () => {
  const crowded = [...countBy([...imports.keys()].map((path) => dirname(path)))].filter(
    ([, files]) => files > filesPerFolderMax,
  );
  expect(crowded).toEqual([]);
  expect(readdirSync(src).length).toBeLessThanOrEqual(topLevelMax);
});

test("files are named by a noun or a verb with its object, never by a bare gerund", () => {
  const gerunds = [...imports.keys()].filter((path) => /(^|\/)[a-z]+ing\.ts$/.test(path));
  expect(gerunds).toEqual([]);
});

test("no test asserts elapsed real time: a busy machine would fail it", () => {
  const tests = resolve(import.meta.dirname);
  const elapsed = /expect\((?:[^;]*\W)?(?:performance|Date)\.now\(\)\s*-[^;]*\.toBeLess/;
  const found = readdirSync(tests, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => {
      const statements = readFileSync(join(tests, path), "utf8").split(/;\n/);
      return statements.filter((statement) => elapsed.test(statement)).map(() => path);
    });
  expect(found).toEqual([]);
});
