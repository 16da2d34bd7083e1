import { chmodSync, closeSync, mkdirSync, openSync, statSync, type Stats } from "node:fs";
import { dirname } from "node:path";
import { accountOf, isPrivateFile, isPrivateFolder } from "../../../core/values/private-files.ts";
import { StoreOpenError } from "../../shared/store-open-error.ts";

/** Creates the data folder with access for this account only. Refuses a folder that other users may open. */
export function secureFolderOf(file: string): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = statSync(folder);
  const us = accountOf(process);
  if (isPrivateFolder(found, us)) return;
  throw new StoreOpenError(
    `The data folder ${folder} is open to other users (mode ${modeText(found)}); ` +
      (found.uid === us.uid
        ? `run: chmod 700 ${folder}`
        : `it belongs to another user, so others may have nothing and its group must be one of ours`),
  );
}

/**
 * Refuses files that other users may read or write. A volume that belongs to our group opens our files to that group at
 * each mount, so those are closed again instead.
 */
export function checkFileModes(files: readonly string[]): void {
  for (const file of files) {
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) continue;
    if (!found.isFile()) throw new StoreOpenError(`${file} is not a file.`);
    if (!isPrivateFile(found, statSync(dirname(file)), accountOf(process))) {
      throw new StoreOpenError(
        `The file ${file} is open to other users (mode ${modeText(found)}); run: chmod 600 ${file}`,
      );
    }
    closeToGroup(file, found);
  }
}

/** Creates an empty file for this account only, if none exists. SQLite gives its log files the mode of the database. */
export function makePrivateFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) closeSync(openSync(file, "wx", 0o600));
}

function closeToGroup(file: string, { uid, mode }: Stats): void {
  if ((mode & 0o070) === 0 || uid !== accountOf(process).uid) return;
  try {
    chmodSync(file, 0o600);
  } catch {
    // The file system has no permissions of its own. Those of the folder still protect the file.
  }
}

function modeText({ mode }: Stats): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
