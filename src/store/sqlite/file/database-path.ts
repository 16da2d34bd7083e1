import { lstatSync, readdirSync, readlinkSync, realpathSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { StoreOpenError } from "../../shared/store-open-error.ts";

/** Links that lead on to links: more are a circle. */
const linksMax = 40;

/**
 * The one path of a database file, whatever links lead to it. Lock and logs lie beside it under this name, so that two
 * processes that name it differently meet at the same lock. Neither the file nor its folder need be there.
 *
 * @throws StartRefused when links lead in a circle.
 */
export function realDatabaseFile(file: string): string {
  let path = resolve(file);
  for (let links = 0; links <= linksMax; links++) {
    path = join(realFolder(dirname(path)), basename(path));
    // One link after the other, for the file at their end need not be there yet.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return path;
    path = resolve(dirname(path), readlinkSync(path));
  }
  throw new StoreOpenError(`The symbolic links of ${resolve(file)} lead in a circle; name the file itself.`);
}

/** The folder's one path; of one that is not there, as far as it is. */
function realFolder(folder: string): string {
  if (lstatSync(folder, { throwIfNoEntry: false }) !== undefined) return realpathSync(folder);
  const above = dirname(folder);
  return above === folder ? folder : join(realFolder(above), basename(folder));
}

/**
 * Refuses files that have another name besides: under that name another process could use them, with a lock and logs of
 * its own, and neither would know of the other.
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

/** A restore gives the old database a second name before the new one takes its place. If it ended there, that name goes. */
export function removeInterruptedRestore(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.nlink < 2) return;
  const folder = dirname(file);
  for (const name of readdirSync(folder)) {
    const other = join(folder, name);
    if (name.startsWith(`${basename(file)}.replaced-`) && statSync(other).ino === found.ino) rmSync(other);
  }
}
