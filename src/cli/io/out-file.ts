import { randomUUID } from "node:crypto";
import { lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import { Failure, misuse } from "./failure.ts";
import { safeNote } from "./safe-text.ts";

/**
 * The path to write, with links followed so that they stay links. Call it before anything is fetched.
 * @throws Failure when `file` is a pipe, a device, a folder or a dangling link, which a file must not replace
 */
export async function outPathOf(file: string): Promise<string> {
  const name = safeNote(file);
  try {
    const existing = await stat(file);
    if (existing.isDirectory()) throw misuse(`${name} is a folder; name a file with --out.`);
    if (!existing.isFile()) {
      throw misuse(`${name} is no regular file; omit --out and redirect standard output there.`);
    }
    return await realpath(file);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw unwritable(error, name);
  }
  const isLink = await lstat(file).then(
    () => true,
    () => false,
  );
  if (isLink) throw misuse(`${name} is a link to a file that does not exist; name that file with --out.`);
  return file;
}

/** Writes to a temporary file and renames it, so that the file is complete and readable by its owner only. */
export async function writeAtomically(chunks: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  const part = `${path}.${randomUUID().slice(0, 8)}.part`;
  try {
    const handle = await open(part, "wx", 0o600);
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw unwritable(error, safeNote(path));
  }
}

function unwritable(error: unknown, name: string): Failure {
  if (error instanceof Failure) return error;
  return misuse(`${name} cannot be written (${codeOf(error)}); name another file with --out.`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
