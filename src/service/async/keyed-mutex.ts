/** Releases the lock. */
export type Release = () => void;

/** One lock per name, granted in the order of the calls. */
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
