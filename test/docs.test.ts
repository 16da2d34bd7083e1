import { spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { configJsonSchema } from "../src/config/config-json-schema.ts";
import { configSchema } from "../src/config/config-schema.ts";
import { environmentNames } from "../src/config/environment.ts";
import { hearings, noticeKinds } from "../src/core/notices.ts";
import { roles } from "../src/core/people.ts";
import { refusalStatus, type RefusalCode } from "../src/core/refusals.ts";
import { statuses } from "../src/core/status.ts";
import { problem, type ProblemCode } from "../src/http/problems.ts";
import { leavesNothingBehind } from "./support/left-behind.ts";
import { anchorsOf, codeIn, fencesOf, linksOf, printedAs, rowNames, tableUnder } from "./support/markdown.ts";
import { sharedProgram } from "./support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const pages = ["README.md", "docs/policies.md", "docs/development.md", "docs/chat.md"].map((path) => ({
  path,
  content: read(path),
}));
const [readme = "", policies = "", development = ""] = pages.map((page) => page.content);
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json")));

/** As a newcomer runs it: in a folder without a configuration, nothing set but a free port. */
const service = sharedProgram();

/** What git would keep of a folder. */
const hasFiles = (folder: string): boolean => existsSync(folder) && readdirSync(folder).length > 0;

const sorted = (texts: Iterable<string>): string[] => [...texts].toSorted();

describe("the walk in the README", () => {
  const fences = fencesOf(readme);
  const stops = fences.flatMap(({ info, content }, index) =>
    info === "bash walk" ? [{ commands: content, next: fences[index + 1] }] : [],
  );

  test("comes out as printed, pasted block by block", async () => {
    expect(stops.length).toBeGreaterThan(10);
    const outputs = await walk(stops.map((stop) => stop.commands));
    const seen = stops.map(({ commands }, index) => ({ commands, output: outputs[index] }));
    for (const [index, { commands, next }] of stops.entries()) {
      const output = outputs[index] ?? "";
      if (next?.info === "json") {
        expect({ commands, answer: answerOf(output) }).toEqual({ commands, answer: like(next.content) });
      } else {
        const printed = next?.info === "text" ? printedAs(next.content) : /^$/;
        expect(seen[index]).toEqual({ commands, output: expect.stringMatching(printed) });
      }
    }
  });

  /** What each block prints, all of them in one bash. */
  async function walk(blocks: readonly string[]): Promise<string[]> {
    const end = "\u001E";
    const script = blocks.map((block) => `${block}printf '${end}'\n`).join("");
    const bash = spawn("bash", ["-u"], {
      cwd: service().folder,
      env: { PATH: `${dirname(process.execPath)}:${process.env["PATH"] ?? ""}` },
    });
    bash.stdin.end(script.replace("http://127.0.0.1:3000", service().address));
    const [output, complaints] = await Promise.all([text(bash.stdout), text(bash.stderr)]);
    expect(complaints).toBe("");
    return output.split(end).slice(0, -1);
  }

  function answerOf(output: string): unknown {
    return output.startsWith("{") ? JSON.parse(output) : output;
  }

  /** The README leaves fields out of its answers, at any depth. */
  function like(printed: string): unknown {
    const pattern = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(pattern);
      if (typeof value === "string" && value.includes("…")) return expect.stringMatching(printedAs(value));
      if (typeof value !== "object" || value === null) return value;
      const fields = Object.entries(value).map(([name, inner]) => [name, pattern(inner)]);
      return expect.objectContaining(Object.fromEntries(fields));
    };
    return pattern(JSON.parse(printed));
  }
});

describe("the README lists all there is:", () => {
  test("routes and their roles, as in openapi.json", async () => {
    const operation = z.object({ description: z.string().default("") });
    const document = z.object({ paths: z.record(z.string(), z.record(z.string(), operation)) });
    const answer = await fetch(`${service().address}/openapi.json`);
    const { paths } = document.parse(await answer.json());
    const served = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { description }]) => {
        const [, needed = "–"] = /^Roles: (.*)\.$/m.exec(description) ?? [];
        return `${method.toUpperCase()} ${path} ${needed.replaceAll(" or ", ", ")}`;
      }),
    );
    const api = tableUnder(readme, "### Routes under `/api/v1`").map(
      ([route, needed]) => `${codeIn(route)[0]?.replace(" ", " /api/v1")} ${needed}`,
    );
    const atRoot = rowNames(readme, "### Routes at the root").map((route) => `${route} –`);
    const documentation = ["GET /docs –", "GET /openapi.json –"];
    expect(sorted([...api, ...atRoot])).toEqual(sorted([...served, ...documentation]));
  });

  test("routes at the root, which answer", async () => {
    const routes = rowNames(readme, "### Routes at the root");
    const answers = await Promise.all(
      routes.map(async (route) => fetch(service().address + route.replace("GET ", ""))),
    );
    expect(answers.map((answer) => answer.status)).toEqual(routes.map(() => 200));
  });

  test("problem codes, each with its status", () => {
    const faults = {
      internal: "",
      not_ready: "",
      request_timeout: "",
      header_too_large: "",
    } satisfies Record<Exclude<ProblemCode, RefusalCode>, string>;
    const isCode = (word: string): word is ProblemCode => word in refusalStatus || word in faults;
    const listed = tableUnder(readme, "### Problem codes").flatMap(([status, cell]) =>
      codeIn(cell).map((code) => `${status} ${code}`),
    );
    const known = [...Object.keys(refusalStatus), ...Object.keys(faults)].filter(isCode);
    expect(sorted(listed)).toEqual(sorted(known.map((code) => `${problem(code, "").status} ${code}`)));
  });

  test("environment variables, each with its default", () => {
    const rows = tableUnder(readme, "### Environment").map(([name, value]) => ({
      name: codeIn(name)[0] ?? "",
      value: codeIn(value)[0] ?? "",
    }));
    const example = read(".env.example").split("\n");
    expect(rows.map((row) => row.name)).toEqual([...environmentNames]);
    expect(example).toEqual(expect.arrayContaining(rows.map(({ name, value }) => `${name}=${value}`)));
  });

  test("sections of the configuration file", () => {
    expect(rowNames(readme, "## Configuration")).toEqual(Object.keys(configSchema.shape));
  });

  test("roles and statuses", () => {
    expect(sorted(rowNames(readme, "## API"))).toEqual(sorted(roles));
    expect(sorted(rowNames(readme, "### Lifecycle"))).toEqual(sorted(statuses));
  });

  test("notices, each with who hears of it where", () => {
    const circles = {
      people: "approvers",
      requester: "requester",
      channels: "channels",
      alerted: "alert channels",
      reviewers: "reviewers",
      admins: "administrators",
    };
    const cell = (parts: readonly string[]): string => (parts.length === 0 ? "–" : parts.join("; "));
    const rows = noticeKinds.map((notice) => {
      const all = hearings[notice];
      const inChat = all
        .filter((one) => one.chat !== "quiet")
        .map((one) => `${circles[one.who]}: ${one.chat}`);
      return [
        `\`${notice}\``,
        cell(inChat),
        cell(all.filter((one) => one.letter).map((one) => circles[one.who])),
      ];
    });
    const written = tableUnder(readme, "## Notifications").map(([notice, , chat, letter]) => [
      notice,
      chat,
      letter,
    ]);
    expect(written).toEqual(rows);
  });

  test("rooms of src", () => {
    const rooms = readdirSync(join(root, "src")).flatMap((name) => {
      if (!statSync(join(root, "src", name)).isDirectory()) return [name];
      return hasFiles(join(root, "src", name)) ? [`${name}/`] : [];
    });
    expect(sorted(rowNames(readme, "## Architecture"))).toEqual(sorted(rooms));
  });
});

describe("the pages in docs list all there is:", () => {
  test("conditions, each with its operators", () => {
    const listed = tableUnder(policies, "## Conditions").flatMap(([type, operators]) =>
      codeIn(operators).map((operator) => `${codeIn(type)[0]} ${operator}`),
    );
    expect(sorted(listed)).toEqual(sorted(conditionsOf(configJsonSchema())));
  });

  test("projects of the test suite", () => {
    const projects = [...read("vitest.config.ts").matchAll(/project\("([\w-]+)"/g)].map(
      ([, name = ""]) => name,
    );
    const written = projects.filter((name) => name === "rules" || hasFiles(join(root, "test", name)));
    expect(rowNames(development, "## Tests")).toEqual(written);
  });

  test("npm scripts", () => {
    const named = rowNames(development, "## Scripts").map((code) => code.replace(/^npm (run )?/, ""));
    expect(sorted(named)).toEqual(sorted(Object.keys(scripts)));
  });

  /** Every type with each of its operators, wherever in the JSON Schema a condition is described. */
  function conditionsOf(schema: unknown): ReadonlySet<string> {
    const words = z.union([
      z.object({ const: z.string() }).transform((one) => [one.const]),
      z.object({ enum: z.array(z.string()) }).transform((one) => one.enum),
    ]);
    const condition = z.object({ properties: z.object({ type: words, operator: words }) });
    const { success, data } = condition.safeParse(schema);
    if (success) {
      const { type, operator } = data.properties;
      return new Set(type.flatMap((one) => operator.map((other) => `${one} ${other}`)));
    }
    const inside = typeof schema === "object" && schema !== null ? Object.values(schema) : [];
    return new Set(inside.flatMap((one) => [...conditionsOf(one)]));
  }
});

describe.each(pages)("$path", ({ path, content }) => {
  test("names no npm script that is not there", () => {
    const named = [...content.matchAll(/npm (?:run ([\w:-]*\w)|(start|test))/g)].map(
      ([, run, short]) => run ?? short ?? "",
    );
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test("leads to files and headings that are there", () => {
    const links = linksOf(content);
    const broken = links.filter((target) => {
      const [file = "", anchor] = target.split("#");
      const linked = file === "" ? join(root, path) : resolve(root, dirname(path), file);
      if (!existsSync(linked)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(linked, "utf8")).includes(anchor);
    });
    expect(links.length).toBeGreaterThan(0);
    expect(broken).toEqual([]);
  });

  test("names no source file that is not there", () => {
    // What `npm run build` writes is tested by maintenance/image.test.ts.
    const files = codeIn(content).filter((code) => /^(?!dist\/)[\w.-]+\/[\w./-]+\.(ts|mjs)$/.test(code));
    const isThere = (file: string): boolean => ["", "src"].some((from) => existsSync(join(root, from, file)));
    expect(files.filter((file) => !isThere(file))).toEqual([]);
  });
});

test("the README holds the two lines that everything begins with", () => {
  expect(readme.split("\n")).toEqual(expect.arrayContaining(["npm ci && npm start", "npm ci && npm test"]));
});
