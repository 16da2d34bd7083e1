// Loaded before anything else (see "start" in package.json). It is plain JavaScript, because an old Node cannot strip
// types or run the database driver and would crash without an explanation.
import module from "node:module";
import { join } from "node:path";

const nodeApiMin = 10;

if (Number(process.versions.napi) < nodeApiMin) {
  process.stderr.write(
    `jit-access needs Node 22.18 or newer, and this is ${process.version}.\n` +
      "Run `npm ci` and `npm start`, which bring their own Node on Linux, or install Node 24.\n",
  );
  process.exit(1);
}

// Caches compiled code beside the packages, because anyone who can write there can change the program anyway. Where the folder is
// not writable, every start compiles again.
module.enableCompileCache(join(import.meta.dirname, "../../../node_modules/.cache/compiled"));

// For each ES module that Node resolves in a package, it parses the package.json again. Drizzle has a hundred modules and
// 180 KB of package.json, so resolving its names here halves the time of a start and saves 100 MB.
const resolvedNames = new Map();
module.registerHooks?.({
  resolve(specifier, context, nextResolve) {
    const isInside = context.parentURL?.includes("/node_modules/drizzle-orm/") === true;
    if (isInside && /^\.\.?\/.*\.js$/.test(specifier)) {
      return { url: new URL(specifier, context.parentURL).href, format: "module", shortCircuit: true };
    }
    const isDrizzle = /^drizzle-orm(?:\/|$)/.test(specifier) && context.conditions.includes("import");
    if (!isDrizzle) return nextResolve(specifier, context);
    const resolved = resolvedNames.get(specifier) ?? nextResolve(specifier, context);
    resolvedNames.set(specifier, resolved);
    return { ...resolved, shortCircuit: true };
  },
});
