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

// Caches compiled code beside the packages: whoever can write there can change the program anyway. Where the folder is
// not writable, every start compiles again.
module.enableCompileCache(join(import.meta.dirname, "../../../node_modules/.cache/compiled"));
