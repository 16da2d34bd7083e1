import { resolve as absolute } from "node:path";
import type { SshSettings } from "../../core/values/connector-settings.ts";
import type { Instant } from "../../core/values/ids.ts";
import type { Owner } from "../shared/label.ts";
import { fileFault } from "./ca-key-file.ts";
import { readLedger, writeLedger, type LedgerEntry } from "./ledger.ts";

type Entries = readonly LedgerEntry[];

/** The new entries, and the result for the caller. */
export interface LedgerChange<T> {
  readonly entries: Entries;
  readonly result: T;
}

/** Serialises all work on a ledger and its revocation list. Errors become ConnectorFaults. */
export interface SshRegistry {
  readonly withLock: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  /**
   * Applies `change` to the entries and rewrites both files. Queued changes share one write, because a thousand grants
   * may end in the same second. An error thrown by `change` fails only this change.
   */
  readonly update: <T>(signal: AbortSignal, change: (entries: Entries) => LedgerChange<T>) => Promise<T>;
}

interface QueuedChange {
  /** Applies the change; `settle` resolves its caller once the files are written. @throws to fail this change alone. */
  readonly apply: (entries: Entries) => { readonly entries: Entries; readonly settle: () => void };
  readonly fail: (error: unknown) => void;
}

/**
 * Last job per revocation list. Module-level on purpose: a reload creates a second registry while the first may still
 * write, and one of two concurrent writes would be lost.
 */
const lastJobs = new Map<string, Promise<unknown>>();

export function createSshRegistry(settings: SshSettings, owner: Owner, now: () => Instant): SshRegistry {
  const { name, krlFile } = settings;
  const list = absolute(krlFile);
  let queued: QueuedChange[] = [];

  function withLock<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => {
      try {
        signal.throwIfAborted();
        return await work();
      } catch (error) {
        throw fileFault(name, error, signal);
      }
    };
    const job = (lastJobs.get(list) ?? Promise.resolve()).then(run);
    lastJobs.set(
      list,
      job.catch(() => {}),
    );
    return job;
  }

  async function writeQueued(): Promise<void> {
    const batch = queued;
    queued = [];
    if (batch.length === 0) return;
    try {
      const before = await readLedger(owner, krlFile);
      const { entries, settled } = applyAll(batch, before.entries);
      await writeLedger(owner, krlFile, before, entries, now());
      for (const settle of settled) settle();
    } catch (error) {
      for (const { fail } of batch) fail(error);
    }
  }

  return {
    withLock,
    update: (signal, change) =>
      new Promise((resolve, reject) => {
        const fail = (error: unknown): void => reject(fileFault(name, error, signal));
        queued.push({
          apply: (entries) => {
            signal.throwIfAborted();
            const { entries: next, result } = change(entries);
            return { entries: next, settle: () => resolve(result) };
          },
          fail,
        });
        // Not aborted by the signal of one caller, because it writes the changes of others too.
        withLock(new AbortController().signal, writeQueued).catch(fail);
      }),
  };
}

function applyAll(batch: readonly QueuedChange[], before: Entries) {
  let entries = before;
  const settled: (() => void)[] = [];
  for (const { apply, fail } of batch) {
    try {
      const done = apply(entries);
      entries = done.entries;
      settled.push(done.settle);
    } catch (error) {
      fail(error);
    }
  }
  return { entries, settled };
}
