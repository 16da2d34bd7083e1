/** Owner, group and mode of a file or folder. */
export interface FileAccess {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** The account this process runs as. */
export interface Account {
  readonly uid: number;
  /** The primary group and all others. */
  readonly groups: readonly number[];
}

const forOthers = 0o007;
const forGroupOrOthers = 0o077;

/** Whether only this account, or its group on a mounted volume, can open the folder. */
export function isPrivateFolder(folder: FileAccess, us: Account): boolean {
  return (folder.mode & forGroupOrOthers) === 0 || isGroupVolume(folder, us);
}

/** Whether only this account, or its group on a mounted volume, can read the file. */
export function isPrivateFile(file: FileAccess, folder: FileAccess, us: Account): boolean {
  if ((file.mode & forGroupOrOthers) === 0) return true;
  return (file.mode & forOthers) === 0 && us.groups.includes(file.gid) && isGroupVolume(folder, us);
}

/**
 * Whether the folder is a volume mounted for this account's group. Kubernetes does this for containers that do not
 * run as root (`fsGroup`): another user owns the folder, and we reach it by its group. On a folder we own, group
 * access is a mistake.
 */
export function isGroupVolume(folder: FileAccess, us: Account): boolean {
  return folder.uid !== us.uid && (folder.mode & forOthers) === 0 && us.groups.includes(folder.gid);
}

/** The part of Node's `process` that names the account; undefined on systems without such accounts. */
export interface AccountSource {
  readonly geteuid?: () => number;
  readonly getegid?: () => number;
  readonly getgroups?: () => number[];
}

export function accountOf({ geteuid, getegid, getgroups }: AccountSource): Account {
  return {
    uid: geteuid?.() ?? -1,
    groups: [...(getegid === undefined ? [] : [getegid()]), ...(getgroups?.() ?? [])],
  };
}
