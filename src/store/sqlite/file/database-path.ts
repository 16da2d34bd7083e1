import { lstatSync, readdirSync, readlinkSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StoreOpenError } from "../../shared/store-open-error.ts";

/** A longer chain of symbolic links is taken for a circle. */
const linksMax = 40;

/**
 * The real path of a database file, with all symbolic links resolved. The lock and the logs are named after it, so two
 * processes that reach the file by different paths compete for the same lock. Neither file nor folder has to exist.
 *
 * @throws StoreOpenError when links lead in a circle.
 */
export function realDatabaseFile(file: string): string {
  let path = resolve(file);
  for (let links = 0; links <= linksMax; links++) {
    path = join(realFolder(dirname(path)), basename(path));
    // Links are followed one by one, because the file at their end may not exist yet.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
    path = resolve(dirname(path), readlinkSync(path));
  }
  throw new StoreOpenError(`The symbolic links of ${resolve(file)} lead in a circle; name the file itself.`);
}

/** The folder's real path. Of a folder that does not exist, the existing part is resolved. */
function realFolder(folder: string): string {
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return realpathSync(folder);
  const above = dirname(folder);
  return above === folder ? folder : join(realFolder(above), basename(folder));
}

/**
 * Refuses files that have a second name. Another process could open the file by that name, with its own lock and its
 * own logs, and neither process would notice.
 */
export function checkSoleNames(files: readonly string[]): void {
  for (const file of files) {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (found.isSymbolicLink()) {
      throw new StoreOpenError(`${file} is a symbolic link; put the file itself there.`);
    }
    if (found.nlink > 1) {
      throw new StoreOpenError(
        `${file} has ${found.nlink} names (hard links), so another process could use it unnoticed; remove the others. To find them: find FOLDER -samefile ${file}`,
      );
    }
  }
}

/** Removes the second name that an interrupted restore gave the database before replacing it. */
export function removeInterruptedRestore(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.nlink < 2) return;
  const folder = dirname(file);
  for (const name of readdirSync(folder)) {
    const other = join(folder, name);
    if (name.startsWith(`${basename(file)}.replaced-`) && statSync(other).ino === found.ino) rmSync(other);
  }
}
