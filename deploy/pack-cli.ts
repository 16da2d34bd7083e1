import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

/*
 * `npm run pack:cli` packs the command line as a package of its own, dist/jit-cli-VERSION.tgz. The package holds one
 * bundled file without dependencies, because Node does not strip types below node_modules. It runs on Node 20 or newer.
 */

const root = resolve(import.meta.dirname, "..");
const dist = join(root, "dist");
const staging = join(dist, "cli");
const nodeMin = "20.11";
const bytesMax = 5_000_000;

const { version, description, license }: Record<"version" | "description" | "license", string> = JSON.parse(
  readFileSync(join(root, "package.json"), "utf8"),
);

async function bundle(file: string): Promise<void> {
  await build({
    absWorkingDir: root,
    entryPoints: ["src/cli/jit.ts"],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    target: `node${nodeMin}`,
    // Keep names and break lines, so that stack traces stay readable.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 200,
    legalComments: "inline",
    banner: {
      js: [
        "#!/usr/bin/env node",
        // Bundled CommonJS packages call require() for Node's built-in modules.
        'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
      ].join("\n"),
    },
    logLevel: "warning",
  });
  chmodSync(file, 0o755);
}

const packageJson = {
  name: "jit-cli",
  version,
  description: `The command line of jit-access. ${description}`,
  license,
  type: "module",
  bin: { jit: "jit.mjs" },
  engines: { node: `>=${nodeMin}` },
};

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
await bundle(join(staging, "jit.mjs"));
writeFileSync(join(staging, "package.json"), `${JSON.stringify(packageJson, undefined, 2)}\n`);
copyFileSync(join(root, "LICENSE"), join(staging, "LICENSE"));
execFileSync("npm", ["pack", "--silent", "--pack-destination", dist], {
  cwd: staging,
  stdio: ["ignore", "ignore", "inherit"],
});
rmSync(staging, { recursive: true });
const packed = join(dist, `jit-cli-${version}.tgz`);
if (readFileSync(packed).length > bytesMax) throw new Error(`${packed} is larger than ${bytesMax} bytes.`);
process.stdout.write(`${packed}\n`);
