import { openSqliteStore } from "../../src/store/sqlite-store.ts";

/** Run as a process of its own: opens the store named in the first argument, says what came of it, and waits. */
const [file = ""] = process.argv.slice(2);
try {
  await openSqliteStore({ file, onFatal: () => process.exit(9) });
  process.stdout.write("open\n");
  setInterval(() => undefined, 60_000);
} catch (error) {
  process.stdout.write(`${String(error)}\n`);
}
