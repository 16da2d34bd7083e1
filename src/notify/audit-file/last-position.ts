import type { FileHandle } from "node:fs/promises";

/** No record is longer by far; what comes before is not looked at. */
const tailBytesMax = 4 * 1024 * 1024;
const lineEnd = 0x0a;
const recordPrefix = '{"seq":';

export interface LogPosition {
  readonly seq: number;
  readonly hash: string;
}

/**
 * Reads back which record was written last; undefined when the last line is none of ours. A record that was broken off
 * is cut away first, so that it can be written whole; anything else that is there is kept, and ended with a line end.
 */
export async function lastPosition(file: FileHandle): Promise<LogPosition | undefined> {
  const { size } = await file.stat();
  const from = Math.max(0, size - tailBytesMax);
  const buffer = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  const tail = buffer.subarray(0, bytesRead);
  const whole = tail.lastIndexOf(lineEnd) + 1;
  const broken = tail.subarray(whole).toString("utf8");
  if (broken !== "" && isOurs(broken)) await file.truncate(from + whole);
  else if (broken !== "") await file.appendFile("\n");
  if (whole === 0 || (broken !== "" && !isOurs(broken))) return undefined;
  const start = tail.subarray(0, whole - 1).lastIndexOf(lineEnd) + 1;
  return positionOf(tail.subarray(start, whole).toString("utf8"));
}

function isOurs(broken: string): boolean {
  return broken.startsWith(recordPrefix) || recordPrefix.startsWith(broken);
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
