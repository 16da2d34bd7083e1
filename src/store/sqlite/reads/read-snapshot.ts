import type Database from "better-sqlite3";

/** Reads that come close together, on one view of the database. */
export interface Snapshot {
  /** What is read from here to the end of this turn is read in one transaction: locked and looked up in the log once. */
  readonly hold: () => void;
  /** To be called before something is written, so that the log can start over, and when it is: later reads must see it. */
  readonly release: () => void;
}

/** Of a connection that only reads. */
export function createSnapshot(client: Database.Database): Snapshot {
  const begin = client.prepare("BEGIN");
  const end = client.prepare("COMMIT");
  let isHeld = false;
  const release = (): void => {
    if (!isHeld) return;
    isHeld = false;
    // A read that failed may have ended it already.
    if (client.open && client.inTransaction) end.run();
  };
  return {
    hold: () => {
      // Of one that is closed the read itself says so.
      if (isHeld || !client.open) return;
      begin.run();
      isHeld = true;
      setImmediate(release);
    },
    release,
  };
}

/** The same reads, each on the view of its turn. One that goes on over several turns begins on it. */
export function withReadTransaction<R extends object>(snapshot: Snapshot, reads: R): R {
  return new Proxy(reads, {
    get: (target, name, receiver) => {
      const read: unknown = Reflect.get(target, name, receiver);
      if (typeof read !== "function") return read;
      return (...asked: readonly unknown[]): unknown => {
        snapshot.hold();
        return Reflect.apply(read, target, asked);
      };
    },
  });
}
