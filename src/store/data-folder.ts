import { closeSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { StartRefused } from "./start-refused.ts";

const forOthers = 0o077;

/** Makes the folder of the database file for us alone, or refuses one that others may look into. */
export function secureFolderOf(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { mode } = statSync(folder);
  if ((mode & forOthers) !== 0) {
    throw new StartRefused(
      `The data folder ${folder} is open to other users (mode ${modeText(mode)}); run: chmod 700 ${folder}`,
    );
  }
}

/** Refuses the database, its log and its lock when other users may read or write them. */
export function checkFileModes(files: readonly string[]): void {
  for (const file of files) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (!found.isFile()) throw new StartRefused(`${file} is not a file.`);
    if ((found.mode & forOthers) !== 0) {
      throw new StartRefused(
        `The file ${file} is open to other users (mode ${modeText(found.mode)}); run: chmod 600 ${file}`,
      );
    }
  }
}

/** An empty file that only we can read; SQLite gives its log files the mode of their database. */
export function makePrivateFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) closeSync(openSync(file, "wx", 0o600));
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
