import { coalesceRuns } from "../../service/async/coalesce-runs.ts";
import type { CommitListener } from "../../service/ports/observed-store.ts";
import { openRecordFile, type RecordFile, type RecordStore } from "./record-file.ts";

/** What is recorded within this is written together. */
const debounceMs = 20;

export interface AuditFile {
  /** Opens the file; what it lacks is written soon. @throws the system's error when it cannot be opened. */
  start(): Promise<void>;
  readonly onCommit: CommitListener;
  /** Tries again what failed. Does not wait. */
  readonly sweep: { readonly name: string; run(): Promise<void> };
  /** For rotation: goes on in what is at the path by now. */
  reopen(): Promise<void>;
  /** Writes a last batch, and closes; what is left is written after the next start. */
  stop(): Promise<void>;
}

export interface AuditFilePorts {
  readonly path: string;
  readonly store: RecordStore;
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
  const writer = createWriter(path, store);
  let isFailing = false;
  let wakeTimer: NodeJS.Timeout | undefined;

  /** Says once that it does not work, and once that it does again. */
  const attempt = async (): Promise<void> => {
    try {
      await writer.write();
      if (isFailing) log.info({ file: path }, "audit file is written again");
      isFailing = false;
    } catch (err) {
      if (!isFailing) log.error({ err, file: path }, "audit file cannot be written");
      isFailing = true;
    }
  };
  const wake = (): void => {
    if (!writer.isRunning()) return;
    wakeTimer ??= setTimeout(() => {
      wakeTimer = undefined;
      void attempt();
    }, debounceMs);
  };

  return {
    async start() {
      await writer.start();
      wake();
    },
    onCommit({ audit }) {
      if (audit.length > 0) wake();
    },
    sweep: {
      name: "audit file",
      async run() {
        wake();
      },
    },
    async reopen() {
      writer.wantNewFile();
      if (writer.isRunning()) await attempt();
    },
    async stop() {
      if (!writer.isRunning()) return;
      writer.stop();
      clearTimeout(wakeTimer);
      await attempt();
      await writer.close();
    },
  };
}

/** The file behind its path, opened whenever it is not open. */
function createWriter(path: string, store: RecordStore) {
  let file: RecordFile | undefined;
  let isToReopen = false;
  let isRunning = false;
  const mayGoOn = (): boolean => isRunning;

  const close = async (): Promise<void> => {
    const closing = file;
    file = undefined;
    await closing?.close();
  };

  return {
    isRunning: mayGoOn,
    async start() {
      file = await openRecordFile(path, store);
      isRunning = true;
    },
    wantNewFile: () => {
      isToReopen = true;
    },
    /** What is under way ends with its batch. */
    stop: () => {
      isRunning = false;
    },
    close,
    write: coalesceRuns(async () => {
      if (isToReopen) await close();
      isToReopen = false;
      try {
        file ??= await openRecordFile(path, store);
        const open = file;
        while ((await open.writeSome()) && mayGoOn());
      } catch (error) {
        // Perhaps half a line is written: the next attempt opens the file anew and cuts it off.
        await close();
        throw error;
      }
    }),
  };
}
