import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Replaces a file atomically and durably: readers see the old or the new content, even after a power loss. */
export async function writeAtomically(file: string, content: Buffer | string, mode: number): Promise<void> {
  // In the same folder, because a rename is atomic only within one file system.
  const temporary = `${file}.new`;
  try {
    await rm(temporary, { force: true });
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      // Restores the mode that the umask reduced, because sshd reads the list as another user.
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    const folder = await open(dirname(file), "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
