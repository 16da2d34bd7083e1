import type { FileHandle } from "node:fs/promises";

/** Far more than the longest record. Anything before is not read. */
const tailBytesMax = 4 * 1024 * 1024;
const lineEnd = 0x0a;
const recordPrefix = '{"seq":';

export interface LogPosition {
  readonly seq: number;
  readonly hash: string;
}

/**
 * Reads which record was written last; undefined when the last line is not one of our records. An incomplete record is
 * truncated first, so that it can be written again. Any other incomplete line is kept and terminated.
 */
export async function lastPosition(file: FileHandle): Promise<LogPosition | undefined> {
  const { size } = await file.stat();
  const from = Math.max(0, size - tailBytesMax);
  const buffer = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  const tail = buffer.subarray(0, bytesRead);
  const complete = tail.lastIndexOf(lineEnd) + 1;
  const partial = tail.subarray(complete).toString("utf8");
  if (partial !== "" && isOurs(partial)) await file.truncate(from + complete);
  else if (partial !== "") await file.appendFile("\n");
  if (complete === 0 || (partial !== "" && !isOurs(partial))) return undefined;
  const start = tail.subarray(0, complete - 1).lastIndexOf(lineEnd) + 1;
  return positionOf(tail.subarray(start, complete).toString("utf8"));
}

function isOurs(partial: string): boolean {
  return partial.startsWith(recordPrefix) || recordPrefix.startsWith(partial);
}

function positionOf(line: string): LogPosition | undefined {
  try {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null || !("seq" in record) || !("hash" in record)) {
      return undefined;
    }
    const { seq, hash } = record;
    return typeof seq === "number" && typeof hash === "string" ? { seq, hash } : undefined;
  } catch {
    return undefined;
  }
}
