/** Owner, group and permissions of a file or folder, as the system has them. */
export interface FileAccess {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** The account we run as. */
export interface Account {
  readonly uid: number;
  /** Its own and all further ones. */
  readonly groups: readonly number[];
}

const forOthers = 0o007;
const forGroupOrOthers = 0o077;

/** A folder that only we can look into, or one that was given to us by our group. */
export function isPrivateFolder(folder: FileAccess, us: Account): boolean {
  return (folder.mode & forGroupOrOthers) === 0 || isGivenByGroup(folder, us);
}

/** A file that only we can read, or one of our group's in a folder that was given to us by it. */
export function isPrivateFile(file: FileAccess, folder: FileAccess, us: Account): boolean {
  if ((file.mode & forGroupOrOthers) === 0) return true;
  return (file.mode & forOthers) === 0 && us.groups.includes(file.gid) && isGivenByGroup(folder, us);
}

/**
 * How a cluster gives a volume to a container that is not root (`fsGroup` of Kubernetes): the folder belongs to another
 * user, and we reach it by its group. A folder of our own needs no group, so there its access is a mistake.
 */
export function isGivenByGroup(folder: FileAccess, us: Account): boolean {
  return folder.uid !== us.uid && (folder.mode & forOthers) === 0 && us.groups.includes(folder.gid);
}

/** The parts of Node's `process` that name the account; absent on systems without such accounts. */
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
