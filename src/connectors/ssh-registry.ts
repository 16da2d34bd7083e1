import type { SshSettings } from "../core/connector-settings.ts";
import type { Instant } from "../core/ids.ts";
import type { Owner } from "./label.ts";
import { fileFault, loadCaKey } from "./ssh-files.ts";
import { readLedger, writeLedger, type LedgerEntry } from "./ssh-ledger.ts";

export interface Change<T> {
  readonly entries: readonly LedgerEntry[];
  readonly result: T;
}

/** Ledger and revocation list of one CA, as one whole: one piece of work at a time, and each fault a ConnectorFault. */
export interface SshRegistry {
  readonly inTurn: <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  /** Reads all entries and writes what `change` makes of them; the list is written anew each time. */
  readonly update: <T>(
    signal: AbortSignal,
    change: (entries: readonly LedgerEntry[]) => Change<T>,
  ) => Promise<T>;
}

export function createSshRegistry(settings: SshSettings, owner: Owner, now: () => Instant): SshRegistry {
  const { name, krlFile } = settings;
  let last: Promise<unknown> = Promise.resolve();

  function inTurn<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const attempt = async (): Promise<T> => {
      try {
        signal.throwIfAborted();
        return await work();
      } catch (error) {
        throw fileFault(name, error, signal);
      }
    };
    const mine = last.then(attempt);
    last = mine.catch(() => {});
    return mine;
  }

  return {
    inTurn,
    update: (signal, change) =>
      inTurn(signal, async () => {
        const ca = await loadCaKey(settings);
        const { entries, version } = await readLedger(owner, krlFile);
        const { entries: next, result } = change(entries);
        await writeLedger(owner, krlFile, ca.publicBlob, { entries: next, version }, now());
        return result;
      }),
  };
}
