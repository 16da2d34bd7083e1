import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import type { Cursor, Store } from "../../service/ports/store.ts";
import { recordText } from "../../service/reports/audit-json.ts";
import { recordOnly } from "../../service/decisions/decide-and-commit.ts";
import { lastPosition } from "./last-position.ts";

/** Records written and synced at a time. */
const batchMax = 500;
const cursorName = "file";

export type RecordStore = Pick<Store, "auditEvents" | "commit" | "cursors">;

/** The open file, positioned after its last record. */
export interface RecordFile {
  /** Writes the next records and syncs them to disk. @returns false when there is none. */
  writeSome(): Promise<boolean>;
  close(): Promise<void>;
}

/** @throws the system's error when the file cannot be opened, created or read. */
export async function openRecordFile(path: string, store: RecordStore): Promise<RecordFile> {
  const file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
  try {
    let seq = await positionIn(file, store);
    return {
      async writeSome() {
        const rows = await store.auditEvents({ after: seq, limit: batchMax });
        const last = rows.at(-1);
        if (last === undefined) return false;
        await file.appendFile(rows.map((row) => `${recordText(row)}\n`).join(""));
        await file.datasync();
        ({ seq } = last);
        await store.commit({ ...recordOnly([]), writes: [{ kind: "cursor", value: cursorAt(seq) }] });
        return true;
      },
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The last record in the file: by the stored cursor, unless the file itself is further. */
async function positionIn(file: FileHandle, store: RecordStore): Promise<number> {
  if (!(await file.stat()).isFile()) throw new Error("it is not a regular file");
  const last = await lastPosition(file);
  const stored = (await store.cursors()).find(({ name }) => name === cursorName)?.seq ?? 0;
  if (last === undefined || last.seq <= stored) return stored;
  // After a restore the file may hold a record that the database lacks: then only the cursor counts.
  const [same] = await store.auditEvents({ after: last.seq - 1, limit: 1 });
  return same?.seq === last.seq && same.hash === last.hash ? last.seq : stored;
}

function cursorAt(seq: number): Cursor {
  return {
    name: cursorName,
    seq,
    attempts: 0,
    failingSince: null,
    dueAt: null,
    disabled: null,
    configuration: "",
  };
}
