import Database from "better-sqlite3";
import { spawnSync } from "node:child_process";
import { appendFileSync, cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { environmentNames } from "../../src/config/environment.ts";
import { openDatabase } from "../../src/store/sqlite/file/open-database.ts";
import { autoBelow, staff } from "../support/company-config.ts";
import { leavesNothingBehind, temporaryFolder } from "../support/leftover-processes.ts";
import { runProgram, startProgram } from "../support/program.ts";

leavesNothingBehind();

const root = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Instructions of the Dockerfile, one a line. */
const lines = read("Dockerfile")
  .replaceAll(/\\\n\s*/g, "")
  .split("\n");
const finalStage = lines.findLastIndex((line) => line.startsWith("FROM "));
const [buildLines, finalLines] = [lines.slice(0, finalStage), lines.slice(finalStage)];

const after = (word: string, of: readonly string[] = lines): string[] =>
  of.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
const jsonAfter = (text: string | undefined): string[] => JSON.parse(/\[.*\]$/.exec(text ?? "")?.[0] ?? "[]");

/** What is copied from beside the Dockerfile, relative to it. */
function copiedBy(of: readonly string[]): string[] {
  return after("COPY", of)
    .filter((copy) => !copy.startsWith("--from"))
    .flatMap((copy) =>
      copy
        .replace(/^--chown=\S+ /, "")
        .split(" ")
        .slice(0, -1),
    );
}

describe("the Dockerfile", () => {
  test("copies exactly the existing files that .dockerignore allows", () => {
    const allowed = read(".dockerignore")
      .split("\n")
      .flatMap((line) => (line.startsWith("!") ? [line.slice(1)] : []));
    const copied = copiedBy(lines);
    expect(read(".dockerignore").split("\n")[0]).toBe("*");
    expect([...new Set(copied)].toSorted()).toEqual(allowed.toSorted());
    expect(copied.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test("runs what was built on Node 24, otherwise as npm start does: without a shell, so that signals arrive", () => {
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(read("package.json"));
    expect(after("FROM").every((image) => image.startsWith("node:24-bookworm-slim"))).toBe(true);
    expect(jsonAfter(after("CMD")[0]).join(" ")).toBe(
      scripts["start"]?.replace(/^exec /, "").replace("src/main.ts", "dist/code/server/main.mjs"),
    );
    expect(after("ENTRYPOINT")).toEqual([]);
  });

  test("runs as an unprivileged user, with the data in a private volume", () => {
    expect(finalLines).toContain("USER 1000:1000");
    expect(finalLines).toContain("VOLUME /data");
    expect(finalLines).toContain("RUN install -d -o node -g node -m 0700 /data");
    expect(finalLines.indexOf("USER 1000:1000")).toBeGreaterThan(
      finalLines.findLastIndex((line) => line.startsWith("RUN ")),
    );
  });

  test("sets only existing variables, and requires a configuration", () => {
    const settings = Object.fromEntries(
      after("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("="))),
    );
    const names = Object.keys(settings);
    expect(names.filter((name) => !environmentNames.some((one) => one === name))).toEqual([]);
    expect(settings).toMatchObject({ HOST: "0.0.0.0", DATABASE_URL: "file:/data/jit.db" });
    expect(settings).toHaveProperty("JIT_CONFIG");
  });

  test("checks the health of the service, and reports a failure", async () => {
    const [health] = lines.filter((line) => line.includes("/healthz"));
    const [command, ...args] = jsonAfter(health);
    expect(command).toBe("node");
    const program = await startProgram();
    const ask = () => {
      const env = { PORT: new URL(program.address).port };
      return spawnSync(process.execPath, args, { env }).status;
    };
    expect(ask()).toBe(0);
    await program.stop();
    expect(ask()).toBe(1);
  });
});

/** A folder with what the Dockerfile copies for its first stage, and the packages. */
function beforeBuilding(): string {
  const app = temporaryFolder();
  for (const file of copiedBy(buildLines)) cpSync(join(root, file), join(app, file), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(app, "node_modules"));
  return app;
}

/** Runs the Dockerfile's own command for it. */
function buildIn(app: string): { readonly status: number | null; readonly error: string } {
  const [command = ""] = after("RUN", buildLines).flatMap(
    (line) => /node (deploy\/\S+)/.exec(line)?.[1] ?? [],
  );
  const { status, stderr } = spawnSync(process.execPath, [command], { cwd: app, encoding: "utf8" });
  return { status, error: stderr };
}

describe("what is built", () => {
  test("serves, from what is copied for it and the packages: API, documentation, metrics, and access from asking to its end", async () => {
    const app = beforeBuilding();
    expect(buildIn(app)).toEqual({ status: 0, error: "" });
    const program = await startProgram({
      image: app,
      config: { identities: staff, policies: [autoBelow("auto:")] },
    });
    const pages = ["/readyz", "/metrics", "/docs/", "/openapi.json"];
    const found = await Promise.all(pages.map(async (page) => (await program.call("GET", page)).http));
    expect(found).toEqual([200, 200, 200, 200]);
    const dev = await program.person("dev");
    const { id, credential } = (await dev.ask({ scopes: ["read:auto:one"] })).body;
    expect((await program.check(credential.token, "read:auto:one")).http).toBe(200);
    expect((await dev.act(id, "complete")).body.status).toBe("COMPLETED");
    expect((await program.check(credential.token, "read:auto:one")).http).toBe(401);
    await program.stop();
  });

  test("refuses a database with later migrations", async () => {
    const app = beforeBuilding();
    expect(buildIn(app).status).toBe(0);
    const journal = join(app, "migrations/sqlite/meta/_journal.json");
    const { entries, ...rest }: { entries: object[] } = JSON.parse(readFileSync(journal, "utf8"));
    const next = { idx: entries.length, version: "6", when: 9e12, tag: "9999_next", breakpoints: true };
    writeFileSync(journal, JSON.stringify({ ...rest, entries: [...entries, next] }));
    writeFileSync(join(app, "migrations/sqlite/9999_next.sql"), "CREATE TABLE next (id INTEGER);");
    const program = await startProgram({ image: app });
    await program.stop();
    const file = join(program.folder, "data/jit.db");
    const client = new Database(file);
    expect(client.prepare("SELECT 1 FROM sqlite_master WHERE name = 'next'").get()).toBeUndefined();
    client.close();
    openDatabase(file, join(app, "migrations/sqlite")).close();
    const again = await runProgram({ image: app, folder: program.folder });
    expect([again.code, again.error]).toEqual([1, expect.stringMatching(/written by a newer version/)]);
  });

  test("is refused when it does not start", () => {
    const app = beforeBuilding();
    appendFileSync(join(app, "src/main.ts"), "throw new Error('no');\n");
    const { status, error } = buildIn(app);
    expect(status).toBe(1);
    expect(error).toMatch(/does not start/);
  });
});
