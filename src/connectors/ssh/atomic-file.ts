import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

/** Replaces a file at once and for good: whoever reads it sees the old one or the new one, also after a power cut. */
export async function writeAtomically(file: string, content: Buffer | string, mode: number): Promise<void> {
  // In the same folder: a rename is atomic within one file system.
  const temporary = `${file}.new`;
  try {
    await rm(temporary, { force: true });
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.writeFile(content);
      // What the umask took away is given back: sshd reads the list as somebody else.
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
