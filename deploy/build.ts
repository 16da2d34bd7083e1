import { build } from "esbuild";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/*
 * `npm run build` bundles the server into a few files of plain JavaScript, for the image. In the image nothing can be
 * written beside the sources, so Node would strip and compile every module again at each start.
 */

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
/** Two folders deep, like the sources, because files that are shipped with them are found by relative paths. */
const built = join(dist, "code/server");
/** Copied at the same moment. Older code beside newer migrations would write to tables that it does not know. */
const shippedWithIt = ["migrations", "jit.example.yaml"];

/** A start and a stop take less than a second. */
const startMaxMs = 30_000;

/** Packages that every start loads, and that are bundled. Others are loaded from node_modules when they are needed. */
const atEveryStart: ReadonlySet<string> = new Set([
  "@fastify/rate-limit",
  "canonicalize",
  "close-with-grace",
  "drizzle-orm",
  "fastify",
  "fastify-type-provider-zod",
  "node-cron",
  "pino",
  "prom-client",
  "re2js",
  "temporal-polyfill",
  "yaml",
  "zod",
]);

async function bundle(): Promise<void> {
  const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  // The packed CLI below dist stays.
  rmSync(join(dist, "code"), { recursive: true, force: true });
  for (const name of shippedWithIt) rmSync(join(dist, name), { recursive: true, force: true });
  for (const name of shippedWithIt) cpSync(join(root, name), join(dist, name), { recursive: true });
  await build({
    entryPoints: ["src/main.ts"],
    splitting: true,
    absWorkingDir: root,
    outdir: built,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node22.18",
    outExtension: { ".js": ".mjs" },
    external: Object.keys(dependencies).filter((name) => !atEveryStart.has(name)),
    // Names are kept and lines are short, so that the stack of an error is readable.
    minifyWhitespace: true,
    lineLimit: 200,
    minifySyntax: true,
    legalComments: "linked",
    // Bundled CommonJS packages call `require` for Node's own modules.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    logLevel: "warning",
  });
}

/**
 * Starts the bundle once with an empty folder, and stops it. That proves that it starts, and fills the compile cache for
 * later starts of this account (app/process/require-node.mjs).
 */
async function startOnce(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "jit-build-"));
  try {
    const guard = `file://${join(root, "src/app/process/require-node.mjs")}`;
    const server = spawn(process.execPath, ["--import", guard, join(built, "main.mjs")], {
      cwd: folder,
      env: { HOST: "127.0.0.1", PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
      timeout: startMaxMs,
      killSignal: "SIGKILL",
    });
    let log = "";
    server.stdout.setEncoding("utf8").on("data", (text: string) => {
      log += text;
      if (log.includes('"msg":"listening"')) server.kill("SIGTERM");
    });
    const code = await new Promise((ended) => {
      server.once("close", ended);
    });
    if (code !== 0) throw new Error("What was built does not start.");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await bundle();
await startOnce();
