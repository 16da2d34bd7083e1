/**
 * A pure computation in parts. It yields the cost of each part, in roughly microseconds, so that a caller that serves
 * others can pause there. The rules themselves know nothing of pauses.
 */
export type Work<T> = Generator<number, T, void>;

/** Runs all parts at once, for callers that need no pauses. */
export function finish<T>(work: Work<T>): T {
  for (;;) {
    const part = work.next();
    if (part.done === true) return part.value;
  }
}
