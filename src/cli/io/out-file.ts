import { randomUUID } from "node:crypto";
import { lstat, open, realpath, rename, rm, stat } from "node:fs/promises";
import { Failure, misuse } from "./failure.ts";
import { safeNote } from "./safe-text.ts";

/**
 * Where the content for `file` goes in the end: links are followed, so that they stay links. To be asked before anything
 * is fetched. @throws Failure when something is there that the content would take the place of without being like it: a
 * pipe, a device, a folder, a link to nothing.
 */
export async function outPlaceOf(file: string): Promise<string> {
  const name = safeNote(file);
  try {
    const there = await stat(file);
    if (there.isDirectory()) throw misuse(`${name} is a folder; name a file with --out.`);
    if (!there.isFile()) {
      throw misuse(`${name} is no regular file; leave --out away and redirect standard output there.`);
    }
    return await realpath(file);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw unwritable(error, name);
  }
  const isLink = await lstat(file).then(
    () => true,
    () => false,
  );
  if (isLink) throw misuse(`${name} is a link to a file that is not there; name that file with --out.`);
  return file;
}

/** Writes beside `place` and then moves there: readable by its owner alone, and never there half. */
export async function writeWhole(pieces: AsyncIterable<Uint8Array>, place: string): Promise<void> {
  const part = `${place}.${randomUUID().slice(0, 8)}.part`;
  try {
    const handle = await open(part, "wx", 0o600);
    try {
      for await (const piece of pieces) await handle.writeFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, place);
  } catch (error) {
    await rm(part, { force: true });
    throw unwritable(error, safeNote(place));
  }
}

function unwritable(error: unknown, name: string): Failure {
  if (error instanceof Failure) return error;
  return misuse(`${name} cannot be written (${codeOf(error)}); name another file with --out.`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
