import { resolve as absolute } from "node:path";
import type { SshSettings } from "../../core/values/connector-settings.ts";
import type { Instant } from "../../core/values/ids.ts";
import type { Owner } from "../shared/label.ts";
import { fileFault } from "./ca-key-file.ts";
import { readLedger, writeLedger, type LedgerEntry } from "./ledger.ts";

type Entries = readonly LedgerEntry[];

/** What the entries become, and what the one who changed them wants to know. */
export interface LedgerChange<T> {
  readonly entries: Entries;
  readonly result: T;
}

/** Ledger and revocation list, as one whole: one piece of work at a time, and each fault a ConnectorFault. */
export interface SshRegistry {
  readonly withLock: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  /**
   * Makes of all entries what `change` says, and writes both files anew. Changes that wait share one writing: a thousand
   * grants may end in the same second. What `change` throws fails this one alone.
   */
  readonly update: <T>(signal: AbortSignal, change: (entries: Entries) => LedgerChange<T>) => Promise<T>;
}

interface QueuedChange {
  /** What the entries become, and what to say once they are written. @throws for this one alone. */
  readonly apply: (entries: Entries) => { readonly entries: Entries; readonly settle: () => void };
  readonly fail: (error: unknown) => void;
}

/**
 * The last piece of work at each revocation list. Here and not in the registry, because a reload makes another one while
 * the one of before is still at it, and of two that write at once one would be lost.
 */
const lastAt = new Map<string, Promise<unknown>>();

/** Reads and writes nothing before it is asked to. */
export function createSshRegistry(settings: SshSettings, owner: Owner, now: () => Instant): SshRegistry {
  const { name, krlFile } = settings;
  const list = absolute(krlFile);
  let waiting: QueuedChange[] = [];

  function withLock<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => {
      try {
        signal.throwIfAborted();
        return await work();
      } catch (error) {
        throw fileFault(name, error, signal);
      }
    };
    const mine = (lastAt.get(list) ?? Promise.resolve()).then(attempt);
    lastAt.set(
      list,
      mine.catch(() => {}),
    );
    return mine;
  }

  async function writeWaiting(): Promise<void> {
    const together = waiting;
    waiting = [];
    if (together.length === 0) return;
    try {
      const before = await readLedger(owner, krlFile);
      const { entries, settled } = applied(together, before.entries);
      await writeLedger(owner, krlFile, before, entries, now());
      for (const settle of settled) settle();
    } catch (error) {
      for (const { fail } of together) fail(error);
    }
  }

  return {
    withLock,
    update: (signal, change) =>
      new Promise((resolve, reject) => {
        const fail = (error: unknown): void => reject(fileFault(name, error, signal));
        waiting.push({
          apply: (entries) => {
            signal.throwIfAborted();
            const { entries: next, result } = change(entries);
            return { entries: next, settle: () => resolve(result) };
          },
          fail,
        });
        // Not ended by one signal: it works for others too.
        withLock(new AbortController().signal, writeWaiting).catch(fail);
      }),
  };
}

function applied(together: readonly QueuedChange[], before: Entries) {
  let entries = before;
  const settled: (() => void)[] = [];
  for (const { apply, fail } of together) {
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
