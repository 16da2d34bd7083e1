// Loaded before anything else (see "start" in package.json), in plain JavaScript, because an old Node neither strips
// types nor runs the database driver: it would crash without a word.
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

// What was stripped and compiled once is kept, beside the packages, where nobody can put code who could not change the
// program itself. Where that cannot be written every start compiles again.
module.enableCompileCache(join(import.meta.dirname, "../../../node_modules/.cache/compiled"));
