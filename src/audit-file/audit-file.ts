import { open, type FileHandle } from "node:fs/promises";
import { constants } from "node:fs";
import { oneAtATime } from "../service/one-at-a-time.ts";
import type { Cursor, Store } from "../service/ports.ts";
import { recordText } from "../service/record-text.ts";
import { recordOnly } from "../service/step.ts";
import type { Watcher } from "../service/watched-store.ts";
import { lastPlace } from "./tail.ts";

/** Records written and synced at a time. */
const batchMax = 500;
/** What is recorded within this is written together. */
const gatherMs = 20;
const cursorName = "file";

export interface AuditFile {
  /** Opens the file; what it lacks is written soon. @throws the system's error when it cannot be opened. */
  start(): Promise<void>;
  readonly watcher: Watcher;
  /** Tries again what failed. Does not wait. */
  readonly sweep: { readonly name: string; run(): Promise<void> };
  /** For rotation: goes on in what is at the path by now. */
  reopen(): Promise<void>;
  /** Writes a last batch, and closes; what is left is written after the next start. */
  stop(): Promise<void>;
}

export interface AuditFilePorts {
  readonly path: string;
  readonly store: Pick<Store, "auditEvents" | "commit" | "cursors">;
  readonly log: {
    info(facts: object, message: string): void;
    error(facts: object, message: string): void;
  };
}

/**
 * Follows the audit log into a file: one record a line, as the API shows it, each once and in order, from the first on.
 * How far it is stands in the store and in the file itself: after a crash the last whole line is read back and a broken
 * one is cut off, so nothing is written twice. A file that cannot be written delays nobody; it is tried again.
 */
export function createAuditFile({ path, store, log }: AuditFilePorts): AuditFile {
  let file: FileHandle | undefined;
  let seq = 0;
  let isToReopen = false;
  let isRunning = false;
  let isFailing = false;
  let nudged: NodeJS.Timeout | undefined;

  const close = async (): Promise<void> => {
    const closing = file;
    file = undefined;
    await closing?.close();
  };

  const openFile = async (): Promise<FileHandle> => {
    const opened = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o600);
    try {
      seq = await placeIn(opened, store);
      return opened;
    } catch (error) {
      await opened.close();
      throw error;
    }
  };

  const writeTo = async (opened: FileHandle): Promise<void> => {
    do {
      const rows = await store.auditEvents({ after: seq, limit: batchMax });
      const last = rows.at(-1);
      if (last === undefined) return;
      await opened.appendFile(rows.map((row) => `${recordText(row)}\n`).join(""));
      await opened.datasync();
      ({ seq } = last);
      await store.commit({ ...recordOnly([]), writes: [{ kind: "cursor", value: cursorAt(seq) }] });
    } while (isRunning);
  };

  const write = oneAtATime(async () => {
    if (isToReopen) await close();
    isToReopen = false;
    try {
      file ??= await openFile();
      await writeTo(file);
    } catch (error) {
      // Perhaps half a line is written: the next attempt opens the file anew and cuts it off.
      await close();
      throw error;
    }
  });

  /** Says once that it does not work, and once that it does again. */
  const attempt = async (): Promise<void> => {
    try {
      await write();
      if (isFailing) log.info({ file: path }, "audit file is written again");
      isFailing = false;
    } catch (err) {
      if (!isFailing) log.error({ err, file: path }, "audit file cannot be written");
      isFailing = true;
    }
  };
  const nudge = (): void => {
    if (!isRunning) return;
    nudged ??= setTimeout(() => {
      nudged = undefined;
      void attempt();
    }, gatherMs);
  };

  return {
    async start() {
      file = await openFile();
      isRunning = true;
      nudge();
    },
    watcher({ audit }) {
      if (audit.length > 0) nudge();
    },
    sweep: {
      name: "audit file",
      async run() {
        nudge();
      },
    },
    async reopen() {
      isToReopen = true;
      if (isRunning) await attempt();
    },
    async stop() {
      if (!isRunning) return;
      isRunning = false;
      clearTimeout(nudged);
      await attempt();
      await close();
    },
  };
}

/** After which record the file goes on: what the store says, unless the file itself is further. */
async function placeIn(file: FileHandle, store: AuditFilePorts["store"]): Promise<number> {
  if (!(await file.stat()).isFile()) throw new Error("it is no regular file");
  const last = await lastPlace(file);
  const stored = (await store.cursors()).find((one) => one.name === cursorName)?.seq ?? 0;
  if (last === undefined || last.seq <= stored) return stored;
  // A record that is not ours by now, as after a restore, says nothing about how far we are.
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
