import { coalesceRuns } from "../../service/async/coalesce-runs.ts";
import type { CommitListener } from "../../service/ports/observed-store.ts";
import { openRecordFile, type RecordFile, type RecordStore } from "./record-file.ts";

/** Records committed within this time are written together. */
const debounceMs = 20;

export interface AuditFile {
  /** Opens the file and soon writes the records it lacks. @throws the system's error when it cannot be opened. */
  start(): Promise<void>;
  readonly onCommit: CommitListener;
  /** Retries a failed write. Does not wait for it. */
  readonly sweep: { readonly name: string; run(): Promise<void> };
  /** For log rotation: opens the file that is now at the path and continues there. */
  reopen(): Promise<void>;
  /** Writes a last batch and closes the file. The next start writes the rest. */
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

  /** Logs the first of several failures, and the recovery. */
  const attempt = async (): Promise<void> => {
    try {
      await writer.write();
      if (isFailing) log.info({ file: path }, "audit file recovered");
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
      writer.requestReopen();
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

/** Writes to the file at the path, and opens it whenever it is not open. */
function createWriter(path: string, store: RecordStore) {
  let file: RecordFile | undefined;
  let mustReopen = false;
  let isRunning = false;
  const mayContinue = (): boolean => isRunning;

  const close = async (): Promise<void> => {
    const closing = file;
    file = undefined;
    await closing?.close();
  };

  return {
    isRunning: mayContinue,
    async start() {
      file = await openRecordFile(path, store);
      isRunning = true;
    },
    requestReopen: () => {
      mustReopen = true;
    },
    /** A running write ends after its current batch. */
    stop: () => {
      isRunning = false;
    },
    close,
    write: coalesceRuns(async () => {
      if (mustReopen) await close();
      mustReopen = false;
      try {
        file ??= await openRecordFile(path, store);
        const open = file;
        while ((await open.writeSome()) && mayContinue());
      } catch (error) {
        // Half a line may be written: the next attempt opens the file again and truncates it.
        await close();
        throw error;
      }
    }),
  };
}
