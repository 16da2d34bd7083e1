import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { environmentNames } from "../src/config/environment.ts";
import { anchorsOf, codeIn, linksOf } from "./support/markdown.ts";

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json")));

const inDocs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".md"))
  .map((path) => `docs/${path}`);
const atRoot = readdirSync(root).filter((path) => path.endsWith(".md"));
const pages = [...atRoot, ...inDocs].map((path) => ({ path, content: read(path) }));

/** About 25 are meant; a path or a list of names may need some more. */
const bulletWordsMax = 35;

/** Links to pages of ours, as paths from the root. */
const pagesLinkedFrom = ({ path, content }: (typeof pages)[number]): string[] =>
  linksOf(content).flatMap((target) => {
    const [file = ""] = target.split("#");
    return file.endsWith(".md") && !file.includes(":") ? [normalize(join(dirname(path), file))] : [];
  });

describe.each(pages)("$path", ({ path, content }) => {
  test("is short enough to be read", () => {
    const linesMax = path === "README.md" ? 200 : 250;
    expect(content.split("\n").length - 1).toBeLessThanOrEqual(linesMax);
  });

  test("has one title, on its first line", () => {
    const outsideFences = content.replaceAll(/^```.*?^```$/gms, "");
    expect(outsideFences.match(/^# .+$/gm)).toEqual([content.split("\n")[0]]);
  });

  test("says one fact in a bullet", () => {
    const outsideFences = content.replaceAll(/^ *```.*?^ *```$/gms, "");
    const bullets = [...outsideFences.matchAll(/^ *(?:-|\d+\.) (.*)$/gm)].map(([, text = ""]) => text);
    const wordsOf = (text: string): number => text.replaceAll(/\]\([^)]*\)/g, "]").split(/\s+/).length;
    expect(bullets.filter((text) => wordsOf(text) > bulletWordsMax)).toEqual([]);
  });

  test("leads to files and headings that are there", () => {
    const links = linksOf(content).filter((target) => !/^[a-z]+:/.test(target));
    const broken = links.filter((target) => {
      const [file = "", anchor] = target.split("#");
      const linked = file === "" ? join(root, path) : resolve(root, dirname(path), file);
      if (!existsSync(linked)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(linked, "utf8")).includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test("names npm scripts that are there", () => {
    const named = [...content.matchAll(/npm (?:run (?:--silent |-s )?([\w:-]*\w)|(start|test))/g)].map(
      ([, run, short]) => run ?? short ?? "",
    );
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test("names files that are there", () => {
    // What `npm run build` writes is tested by maintenance/image.test.ts.
    const code = codeIn(content).filter((one) => /^(?!dist\/)[\w.-]+\/[\w./-]+\.(ts|mjs)$/.test(one));
    const named = [...content.matchAll(/(?:^|[\s`(/])((?:src|deploy|test)\/[\w./-]*\w)/gm)].map(
      ([, file = ""]) => file,
    );
    const isThere = (file: string): boolean => ["", "src"].some((from) => existsSync(join(root, from, file)));
    const examples = /KIND/;
    expect([...code, ...named].filter((file) => !examples.test(file) && !isThere(file))).toEqual([]);
  });

  test("names settings that are there", () => {
    const ofOthers = /^(JIT_(URL|KEY|KEY_FILE|TOKEN|REQUEST|EXPIRES_AT|TARGET_)|BENCH_|NODE_)/;
    const prefixes =
      /^(JIT|SLACK|TEAMS|MICROSOFT|SMTP|EMAIL|DATABASE|AUDIT|TRUSTED|RATE|PUBLIC|LOG)_[A-Z_]+$/;
    const settings = codeIn(content).filter((code) => prefixes.test(code) && !ofOthers.test(code));
    expect(settings.filter((name) => !environmentNames.some((one) => one === name))).toEqual([]);
  });
});

test("the recipes name what is in the files they name", () => {
  const [, recipes = ""] = read("CONTRIBUTING.md").split("\n## Recipes\n");
  const steps = recipes.split("\n").filter((line) => /^\d+\. /.test(line));
  const missing = steps.flatMap((step) => {
    const code = codeIn(step);
    const files = code.filter((one) => /^(src|test)\/[\w./-]+\.ts$/.test(one) && !one.includes("KIND"));
    const named = code.filter((one) => /^[a-z]+[A-Z]\w+$|^[A-Z][a-z]+[A-Z]\w+$/.test(one));
    const contents = files.map(read).join("\n");
    return files.length === 0 ? [] : named.filter((one) => !contents.includes(one));
  });
  expect(steps.length).toBeGreaterThan(40);
  expect(missing).toEqual([]);
});

test("every page is reached from the index, and the index from the README", () => {
  const reached = new Set(["docs/README.md"]);
  for (const path of reached) {
    const page = pages.find((one) => one.path === path);
    for (const linked of page === undefined ? [] : pagesLinkedFrom(page)) reached.add(linked);
  }
  expect(pages.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([]);
  const index = pages.filter(({ path }) => path === "docs/README.md").flatMap(pagesLinkedFrom);
  expect(
    pages.map(({ path }) => path).filter((path) => path !== "docs/README.md" && !index.includes(path)),
  ).toEqual([]);
  const readme = pages.filter(({ path }) => path === "README.md").flatMap(pagesLinkedFrom);
  expect(readme).toContain("docs/README.md");
});

test("the README holds the two lines that everything begins with", () => {
  expect(read("README.md").split("\n")).toEqual(
    expect.arrayContaining(["npm ci && npm start", "npm ci && npm test"]),
  );
});

test("files outside of the pages name pages that are there", () => {
  const files = ["Dockerfile", "jit.example.yaml", ".env.example", "deploy/jit-access.service"].map(read);
  const sources = ["src", "deploy"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .map((path) => read(join(folder, path))),
  );
  const named = [...files, ...sources].flatMap((content) =>
    [...content.matchAll(/\bdocs\/[\w./-]+\.md(?:#[\w-]+)?/g)].map(([target]) => target),
  );
  expect(named.length).toBeGreaterThan(5);
  const broken = named.filter((target) => {
    const [file = "", anchor] = target.split("#");
    return !existsSync(join(root, file)) || (anchor !== undefined && !anchorsOf(read(file)).includes(anchor));
  });
  expect(broken).toEqual([]);
});
