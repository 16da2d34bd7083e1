import { build } from "esbuild";
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/*
 * `npm run build`: the server in a few files of plain JavaScript, for the image. Nothing may be written beside it there,
 * so Node would strip and compile all of its modules again at every start, and keep the compiler in memory.
 */

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
/** Two folders deep, as the sources are: what is shipped with them is looked for from there. */
const built = join(dist, "code/server");
/** And is of the same moment: what was built before an update knows nothing of newer tables, and refuses them. */
const shippedWithIt = ["migrations", "jit.example.yaml"];

/** Starting and stopping take less than a second. */
const startMaxMs = 30_000;

/** What every start loads, and becomes part of the files. Other packages are loaded where they lie, when they are needed. */
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
  // Nothing else below dist is ours: the packed CLI stays.
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
    // Names stay and lines are short, so that what an error says of where it was can be read.
    minifyWhitespace: true,
    lineLimit: 200,
    minifySyntax: true,
    legalComments: "linked",
    // CommonJS packages ask for Node's own modules by it.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    logLevel: "warning",
  });
}

/**
 * Starts once what was built, on nothing, and stops it: shows that it starts, and leaves what V8 compiled where this
 * user's starts find it (app/process/require-node.mjs).
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
