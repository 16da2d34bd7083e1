/**
 * A pure computation in parts. After each part it yields what the part cost, in about microseconds, so that a caller who
 * serves others too can pause there. The rules themselves know nothing of pauses.
 */
export type Work<T> = Generator<number, T, void>;

/** All parts at once, for those who have nobody else to serve. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const part = work.next();
    if (part.done === true) return part.value;
  }
}
