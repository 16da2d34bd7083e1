import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { configJsonSchema } from "../src/config/config-json-schema.ts";
import { configSchema } from "../src/config/config-schema.ts";
import { environmentNames } from "../src/config/environment.ts";
import { accessChanges } from "../src/core/audit/access-changes.ts";
import { auditActions } from "../src/core/audit/audit-record.ts";
import { noticeRules, noticeKinds } from "../src/core/effects/notices.ts";
import { roles } from "../src/core/values/identity.ts";
import { refusalStatus, type RefusalCode } from "../src/core/values/refusals.ts";
import { statuses } from "../src/core/access/status.ts";
import { problem, type ProblemCode } from "../src/http/formats/problems.ts";
import { leavesNothingBehind } from "./support/leftover-processes.ts";
import { codeIn, rowNames, tableUnder } from "./support/markdown.ts";
import { sharedProgram } from "./support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const apiRules = read("docs/api.md");
const routesPage = read("docs/api-routes.md");
const configuration = read("docs/configuration.md");
const lifecycle = read("docs/lifecycle.md");
const notifications = read("docs/notifications.md");
const auditPage = read("docs/audit.md");
const policies = read("docs/policies.md");
const development = read("docs/development.md");
const { scripts } = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read("package.json")));

/** As a newcomer runs it: in a folder without a configuration, nothing set but a free port. */
const service = sharedProgram();

/** What git would keep of a folder. */
const hasFiles = (folder: string): boolean => existsSync(folder) && readdirSync(folder).length > 0;

const sorted = (texts: Iterable<string>): string[] => [...texts].toSorted();

describe("the pages about the service list all there is:", () => {
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
    const api = tableUnder(routesPage, "## Routes under `/api/v1`").map(
      ([route, needed]) => `${codeIn(route)[0]?.replace(" ", " /api/v1")} ${needed}`,
    );
    const atRoot = rowNames(routesPage, "## Routes at the root").map((route) => `${route} –`);
    const documentation = ["GET /docs –", "GET /openapi.json –"];
    expect(sorted([...api, ...atRoot])).toEqual(sorted([...served, ...documentation]));
  });

  test("routes at the root, which answer", async () => {
    const routes = rowNames(routesPage, "## Routes at the root");
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
    const listed = tableUnder(apiRules, "## Problem codes").map(
      ([code, status]) => `${status} ${codeIn(code)[0]}`,
    );
    const known = [...Object.keys(refusalStatus), ...Object.keys(faults)].filter(isCode);
    expect(sorted(listed)).toEqual(sorted(known.map((code) => `${problem(code, "").status} ${code}`)));
  });

  test("environment variables, each with its default", () => {
    const rows = tableUnder(configuration, "## Environment").map(([name, value]) => ({
      name: codeIn(name)[0] ?? "",
      value: codeIn(value)[0] ?? "",
    }));
    const example = read(".env.example").split("\n");
    expect(rows.map((row) => row.name)).toEqual([...environmentNames]);
    expect(example).toEqual(expect.arrayContaining(rows.map(({ name, value }) => `${name}=${value}`)));
  });

  test("sections of the configuration file", () => {
    expect(rowNames(configuration, "## The configuration file")).toEqual(Object.keys(configSchema.shape));
  });

  test("roles and statuses", () => {
    expect(sorted(rowNames(apiRules, "## Keys and roles"))).toEqual(sorted(roles));
    expect(sorted(rowNames(lifecycle, "## Statuses"))).toEqual(sorted(statuses));
  });

  test("notices, each with who hears of it where", () => {
    const circles = {
      people: "approvers",
      requester: "requester",
      channels: "channels",
      alerted: "alert channels",
      reviewers: "reviewers",
      new_reviewers: "reviewers",
      admins: "administrators",
    };
    const cell = (parts: readonly string[]): string => (parts.length === 0 ? "–" : parts.join("; "));
    const rows = noticeKinds.map((notice) => {
      const all = noticeRules[notice];
      const inChat = all
        .filter((one) => one.chat !== "quiet")
        .map((one) => `${circles[one.to]}: ${one.chat}`);
      return [
        `\`${notice}\``,
        cell(inChat),
        cell(all.filter((one) => one.byEmail).map((one) => circles[one.to])),
      ];
    });
    const written = tableUnder(notifications, "## Notices").map(([notice, , chat, letter]) => [
      notice,
      chat,
      letter,
    ]);
    expect(written).toEqual(rows);
  });

  test("actions of the audit log, each with what it does to access", () => {
    const rows = tableUnder(auditPage, "## Actions").map(([action, access]) => [
      codeIn(action)[0],
      codeIn(access)[0],
    ]);
    const word = { gives: "grants", ends: "ends", none: undefined };
    expect(rows).toEqual(auditActions.map((action) => [action, word[accessChanges[action]]]));
  });

  test("next statuses, and audit actions of every change", () => {
    const rows = tableUnder(lifecycle, "## What changes a request");
    const changes = rows.flatMap(([from, to]) =>
      codeIn(from).flatMap((before) => codeIn(to).map((after) => `${before} ${after}`)),
    );
    const grantEnds = ["EXPIRED", "COMPLETED", "REVOKED"].map((after) => `ACTIVE ${after}`);
    const next = tableUnder(lifecycle, "## Statuses").flatMap(([before, , after]) =>
      codeIn(after).map((one) => `${codeIn(before)[0]} ${one}`),
    );
    // A stage that is added leaves a request waiting.
    const known = [...changes, ...grantEnds].filter((change) => change !== "PENDING PENDING");
    expect(sorted(new Set(known))).toEqual(sorted(new Set(next)));
    const actions = [...rows, ...tableUnder(lifecycle, "## What changes a grant")].flatMap((cells) =>
      codeIn(cells.at(-1)),
    );
    expect(actions.filter((action) => !auditActions.some((one) => one === action))).toEqual([]);
    const aboutLifecycle = auditActions.filter((action) =>
      /^(request|grant)\.(?!(refused|approvers_changed|stranded|reachable)$)/.test(action),
    );
    expect(aboutLifecycle.filter((action) => !actions.includes(action))).toEqual([]);
  });

  test("folders of src", () => {
    const folders = readdirSync(join(root, "src")).flatMap((name) => {
      if (!statSync(join(root, "src", name)).isDirectory()) return [name];
      return hasFiles(join(root, "src", name)) ? [`${name}/`] : [];
    });
    expect(sorted(rowNames(read("docs/architecture.md"), "## Folders"))).toEqual(sorted(folders));
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
