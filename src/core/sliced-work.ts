/** Work that is done in slices: it yields wherever others may be served in between, and returns its result. */
export type SlicedWork<T> = Generator<undefined, T>;

/** Does all of it without a pause, for callers that have nobody else to serve. */
export function runAtOnce<T>(work: SlicedWork<T>): T {
  let next = work.next();
  while (next.done !== true) next = work.next();
  return next.value;
}

/** Waits for `pause` between the slices, so that the event loop serves others meanwhile. */
export async function runInSlices<T>(work: SlicedWork<T>, pause: () => Promise<void>): Promise<T> {
  let next = work.next();
  while (next.done !== true) {
    await pause();
    next = work.next();
  }
  return next.value;
}
