/** Gives back one's turn. */
export type EndTurn = () => void;

/** A queue for each name: turns with the same one come one after the other, in the order they were asked for. */
export interface Turns {
  take(name: string): Promise<EndTurn>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    async take(name) {
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
