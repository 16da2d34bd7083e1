/** Gives back one's turn. */
export type Release = () => void;

/** A queue for each name: turns with the same one come one after the other, in the order they were asked for. */
export interface KeyedMutex {
  acquire(name: string): Promise<Release>;
}

export function createKeyedMutex(): KeyedMutex {
  const last = new Map<string, Promise<void>>();
  return {
    async acquire(name) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = last.get(name);
      last.set(name, promise);
      await before;
      return () => {
        if (last.get(name) === promise) last.delete(name);
        resolve();
      };
    },
  };
}
