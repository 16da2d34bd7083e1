import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

/** The map of the house: which rooms and which packages the files of each room of src may import. */
const rooms: Record<string, { rooms: readonly string[]; packages: readonly string[] }> = {
  core: { rooms: ["core"], packages: ["re2js", "temporal-polyfill", "../package.json"] },
  schemas: { rooms: ["core", "schemas"], packages: ["zod"] },
  config: { rooms: ["core", "schemas", "config"], packages: ["zod", "yaml", "node:fs", "node:path"] },
  service: { rooms: ["core", "service"], packages: [] },
  chat: { rooms: ["core", "service", "words", "chat"], packages: [] },
  teams: {
    rooms: ["core", "service", "words", "chat", "teams"],
    packages: ["botbuilder", "fastify", "jose", "zod"],
  },
  words: { rooms: ["core", "service", "words"], packages: [] },
  store: {
    rooms: ["core", "service", "store"],
    packages: [
      "better-sqlite3",
      "canonicalize",
      "node:crypto",
      "node:fs",
      "node:module",
      "node:os",
      "node:path",
      "node:timers/promises",
      "node:worker_threads",
      ...drizzle(),
    ],
  },
  outgoing: {
    rooms: ["core", "outgoing"],
    packages: ["node:dns", "node:http", "node:https", "node:net"],
  },
  webhooks: { rooms: ["core", "service", "outgoing", "webhooks"], packages: ["node:crypto"] },
  email: {
    rooms: ["core", "service", "words", "email"],
    packages: ["nodemailer", "node:crypto", "node:url"],
  },
  "audit-file": { rooms: ["service", "audit-file"], packages: ["node:fs", "node:fs/promises"] },
  outbox: { rooms: ["core", "service", "outbox"], packages: [] },
  connectors: {
    rooms: ["core", "service", "outgoing", "connectors"],
    packages: [
      "pg",
      "redis",
      "standardwebhooks",
      "node:child_process",
      "node:crypto",
      "node:fs/promises",
      "node:path",
      "node:timers/promises",
      "node:util",
    ],
  },
  sweeps: { rooms: ["core", "service", "sweeps"], packages: ["node-cron", "node:timers/promises"] },
  runtime: {
    rooms: ["core", "service", "runtime"],
    packages: [
      "pino",
      "node:crypto",
      "node:fs",
      "node:net",
      "node:path",
      "node:readline/promises",
      "node:stream/consumers",
      "node:timers/promises",
      "node:tty",
    ],
  },
  http: {
    rooms: ["core", "schemas", "service", "http"],
    packages: [
      "fastify",
      "fastify-type-provider-zod",
      "node:crypto",
      "node:http",
      "node:net",
      "node:stream",
      "csv-stringify",
      "zod",
      ...fastifyPlugins(),
    ],
  },
  slack: {
    rooms: ["core", "service", "words", "chat", "slack"],
    packages: ["@slack/bolt", "@slack/types", "@slack/web-api", "fastify", "node:http", "zod"],
  },
  "maintenance.ts": {
    rooms: ["build", "config", "core", "runtime", "store"],
    packages: ["node:fs", "node:path", "node:readline/promises"],
  },
  cli: {
    rooms: ["core", "config", "schemas", "words", "cli"],
    packages: [
      "@slack/web-api",
      "commander",
      "fflate",
      "zod",
      "node:child_process",
      "node:crypto",
      "node:fs",
      "node:fs/promises",
      "node:os",
      "node:path",
      "node:readline/promises",
      "node:stream/consumers",
      "node:timers/promises",
    ],
  },
  build: {
    rooms: [
      "audit-file",
      "build",
      "chat",
      "config",
      "connectors",
      "core",
      "email",
      "outbox",
      "outgoing",
      "runtime",
      "service",
      "slack",
      "store",
      "sweeps",
      "teams",
      "webhooks",
    ],
    packages: ["close-with-grace", "fastify", "pino", "node:path"],
  },
  "main.ts": {
    rooms: ["build", "config", "core", "http", "runtime", "store", "sweeps"],
    packages: ["pino", "node:fs"],
  },
};

function drizzle(): readonly string[] {
  return ["", "/better-sqlite3", "/better-sqlite3/migrator", "/sqlite-core", "/migrator"].map(
    (path) => `drizzle-orm${path}`,
  );
}

function fastifyPlugins(): readonly string[] {
  return ["rate-limit", "swagger", "swagger-ui"].map((name) => `@fastify/${name}`);
}

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

function violations(path: string, imported: string): string[] {
  const rule = rooms[path.split("/")[0] ?? ""];
  if (rule === undefined) return [`${path} is in no known room`];
  const allowed = imports.has(imported)
    ? rule.rooms.includes(imported.split("/")[0] ?? "")
    : rule.packages.includes(imported);
  return allowed ? [] : [`${path} must not import ${imported}`];
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

test("the check reads the source at all", () => {
  expect(imports.size).toBeGreaterThan(3);
});

test("every file imports only what its room allows", () => {
  const found = [...imports].flatMap(([path, all]) =>
    all.length === 0 ? violations(path, path) : all.flatMap((one) => violations(path, one)),
  );
  expect(found).toEqual([]);
});

test("no file imports itself by any route", () => {
  const cycle = [...imports.keys()].map((path) => cycleFrom(path)).find((found) => found !== undefined);
  expect(cycle?.join(" → ")).toBeUndefined();
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
